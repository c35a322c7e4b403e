//! The parser and its settings.

use super::*;

#[test]
fn the_parser_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_setting_has_its_variable_and_may_stand_anywhere() {
    for argument in <Args as clap::Args>::augment_args(clap::Command::new("x")).get_arguments() {
        let name = argument.get_long().unwrap();
        let expected = match name {
            "database" => "TRADEPOST_DATABASE_URL".to_owned(),
            name => format!("TRADEPOST_{}", name.to_uppercase().replace('-', "_")),
        };
        assert_eq!(argument.get_env().unwrap().to_str(), Some(&*expected));
        assert!(argument.is_global_set(), "{name}");
        assert!(
            argument.is_hide_env_values_set(),
            "{name} may hold a password"
        );
    }
}
