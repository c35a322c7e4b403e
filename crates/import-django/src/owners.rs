//! Owners of rows: a foreign key is followed through intermediate models, as in order.customer,
//! then customer.user. Dumps do not say which model a key refers to; where the column's name is
//! ambiguous, an option must decide.

use crate::kind::{Kind, USER, is_foreign, last_part};
use crate::models::of_model;
use crate::names::{Field, Holds, fold};
use crate::options::Options;
use crate::plan::{ModelPlan, choose, told};
use crate::survey::{Column, Model, Survey};
use crate::wrong::{At, Report};
use std::collections::{BTreeMap, HashMap};

/// The model that an owner column refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    User,
    /// An intermediate model, whose rows have an owner column.
    Through(String),
}

/// The owner column of a model.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) columns: Vec<String>,
    pub(crate) target: Target,
}

/// The owner columns, by model.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    targets: HashMap<String, Target>,
    pub(crate) links: HashMap<String, Link>,
}

/// Names of intermediate models between an order and its user.
const PROFILES: &[&str] = &[
    "customer",
    "profile",
    "userprofile",
    "customerprofile",
    "account",
    "useraccount",
    "buyer",
    "client",
    "member",
    "owner",
    "shopper",
];

const LINK: Field = Field {
    name: "user",
    columns: USER,
    holds: Holds::Anything,
};

/// The maximum number of links that are followed in a chain.
const DEPTH: usize = 4;

impl Owners {
    pub(crate) fn new(
        survey: &Survey,
        options: &Options,
        chosen: &BTreeMap<Kind, String>,
        models: &HashMap<String, ModelPlan>,
        report: &mut Report,
    ) -> Self {
        let mut owners = Self::default();
        let search = Search {
            survey,
            options,
            user: chosen.get(&Kind::User).map(String::as_str),
        };
        for kind in [Kind::Order, Kind::Cart, Kind::CartItem] {
            let Some((name, plan)) = chosen
                .get(&kind)
                .and_then(|name| Some((name, models.get(name)?)))
            else {
                continue;
            };
            let Some(column) = plan.columns("user").first() else {
                continue;
            };
            match search.target(name, column, &mut owners.links, 0) {
                Ok(target) => drop(owners.targets.insert(name.clone(), target)),
                Err((model, sentence)) => {
                    let field = if model == *name { column } else { "" };
                    let at = At {
                        field,
                        ..of_model(&model)
                    };
                    report.say(at, None, &sentence);
                }
            }
        }
        owners
    }

    /// The target of the owner column of a model; `None` if it was not found.
    pub(crate) fn target(&self, model: &str) -> Option<&Target> {
        self.targets.get(model)
    }

    /// The columns of an intermediate model that are read.
    pub(crate) fn read_of(&self, model: &str) -> impl Iterator<Item = &str> {
        let link = self.links.get(model).into_iter();
        link.flat_map(|link| link.columns.iter().map(String::as_str))
    }
}

/// The problem of an order without a user, with the columns that lead to one.
pub(crate) fn no_user(survey: &Survey, order: &str, models: &HashMap<String, ModelPlan>) -> String {
    let mut sentence = "It has no user.".to_owned();
    let is_known = models
        .get(order)
        .is_none_or(|plan| !plan.columns("user").is_empty() || plan.left_out.contains(&"user"));
    let columns = survey.models.get(order).filter(|_| !is_known);
    for (column, found) in columns.into_iter().flat_map(|model| &model.columns) {
        let folded = fold(column);
        let stem = folded.strip_suffix("id").unwrap_or(&folded);
        let leads = |(name, model): &(&String, &Model)| {
            *name != order && last_part(name) == stem && !choose(model, &LINK).is_empty()
        };
        let mut models = survey.models.iter();
        if let Some((target, _)) = models.find(leads).filter(|_| found.values > 0) {
            sentence.push_str(&format!(
                " Its column {column} may lead to one: --field {order}.user={column}:{target}."
            ));
        }
    }
    sentence.push_str(
        " --guest NAME gives such orders to an account of that name, which is made if there is \
         none.",
    );
    sentence
}

struct Search<'a> {
    survey: &'a Survey,
    options: &'a Options,
    user: Option<&'a str>,
}

/// The model whose owner is ambiguous, and the reason.
type Unclear = (String, String);

impl Search<'_> {
    fn target(
        &self,
        model: &str,
        column: &str,
        links: &mut HashMap<String, Link>,
        depth: usize,
    ) -> Result<Target, Unclear> {
        let choice = told(self.options, model, "user");
        if let Some(target) = choice.and_then(|choice| choice.target.as_deref()) {
            return self.through(model, column, target, links, depth);
        }
        let folded = fold(column);
        let stem = folded.strip_suffix("id").unwrap_or(&folded);
        let named = self.named(model, stem);
        match named.as_slice() {
            [one] => self.through(model, column, one, links, depth),
            [] if stem == "user" || column == crate::row::PK => Ok(Target::User),
            [] if self.is_natural(model, column) => Ok(Target::User),
            [] if self.must_be_user(stem) => Ok(Target::User),
            others => Err((
                model.to_owned(),
                self.ambiguous(model, column, stem, others),
            )),
        }
    }

    /// The models that a column of this name may refer to.
    fn named(&self, model: &str, stem: &str) -> Vec<&str> {
        let names = |part: &str| match stem {
            // A profile of the user is another model.
            "user" => part == "user",
            stem => {
                part == stem
                    || part.strip_suffix("profile") == Some(stem)
                    || part.strip_prefix("user") == Some(stem)
            }
        };
        let models = self.survey.models.keys().map(String::as_str);
        models
            .filter(|other| *other != model && !is_foreign(other) && names(&last_part(other)))
            .filter(|other| self.options.models.get(*other) != Some(&None))
            .collect()
    }

    /// Whether the keys are names: natural keys of users, as `--natural-foreign` writes them.
    fn is_natural(&self, model: &str, column: &str) -> bool {
        let is_uuid = |text: &str| {
            let hex = text.bytes().filter(|byte| *byte != b'-');
            text.len() >= 32
                && hex.clone().count() == 32
                && hex.clone().all(|b| b.is_ascii_hexdigit())
        };
        let found = self.column(model, column);
        found.is_some_and(|found| {
            let names = found
                .distinct()
                .is_none_or(|all| !all.keys().any(|text| is_uuid(text)));
            found.values > 0 && found.whole == 0 && names
        })
    }

    fn column(&self, model: &str, column: &str) -> Option<&Column> {
        self.survey.models.get(model)?.columns.get(column)
    }

    /// Whether the user model is the only one in the project that the column may refer to.
    fn must_be_user(&self, stem: &str) -> bool {
        let project = &self.survey.project;
        let other = |model: &String| {
            let part = last_part(model);
            !is_foreign(model)
                && self.user != Some(model)
                && (part == stem || PROFILES.contains(&part.as_str()))
        };
        !project.is_empty() && !project.iter().any(other)
    }

    fn ambiguous(&self, model: &str, column: &str, stem: &str, others: &[&str]) -> String {
        let user = self.user.unwrap_or("auth.user");
        let profiles = self.survey.models.keys().filter(|other| {
            PROFILES.contains(&last_part(other).as_str()) && self.user != Some(other)
        });
        let mut others: Vec<&str> = match others {
            [] => profiles.map(String::as_str).collect(),
            others => others.to_vec(),
        };
        others.retain(|other| !is_foreign(other) && *other != user);
        let missing = self
            .survey
            .project
            .iter()
            .find(|other| last_part(other) == stem);
        match (missing, others.first()) {
            (Some(missing), _) if !self.survey.models.contains_key(missing) => {
                format!("It is a key of {missing}, which is not in the dump: dump that model too.")
            }
            (_, Some(other)) => format!(
                "It may be a key of {user} or of {}. Say which: --field {model}.user={column}:{user} \
                 or --field {model}.user={column}:{other}.",
                others.join(" or ")
            ),
            _ => format!(
                "It may be a key of {user} or of a model {stem} that is not in the dump. Say which: \
                 --field {model}.user={column}:{user}, or dump that model too."
            ),
        }
    }

    /// The target of a key of this intermediate model, which must have an owner column.
    fn through(
        &self,
        model: &str,
        column: &str,
        target: &str,
        links: &mut HashMap<String, Link>,
        depth: usize,
    ) -> Result<Target, Unclear> {
        if self.user == Some(target) {
            return Ok(Target::User);
        }
        if links.contains_key(target) {
            return Ok(Target::Through(target.to_owned()));
        }
        let Some(found) = self.survey.models.get(target) else {
            let sentence = format!("{column} is a key of {target}, which is not in the dump.");
            return Err((model.to_owned(), sentence));
        };
        if depth >= DEPTH {
            let sentence = "It leads to no user.".to_owned();
            return Err((target.to_owned(), sentence));
        }
        let columns = self.link_columns(target, found);
        let Some(first) = columns.first() else {
            let sentence = format!(
                "No column of it says whose its rows are, as {model}, {column} needs. Say which \
                 does: --field {target}.user=COLUMN, where pk is its key; or --model {target}=user \
                 if it is the model of users; or --field {model}.user= if these are guests."
            );
            return Err((target.to_owned(), sentence));
        };
        let next = self.target(target, first, links, depth + 1)?;
        let target = target.to_owned();
        let link = Link {
            columns,
            target: next,
        };
        links.insert(target.clone(), link);
        Ok(Target::Through(target))
    }

    fn link_columns(&self, name: &str, model: &Model) -> Vec<String> {
        match told(self.options, name, "user") {
            Some(choice) => choice.columns.clone(),
            None => choose(model, &LINK),
        }
    }
}
