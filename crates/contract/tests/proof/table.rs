//! Which case finds which fault.

use crate::faults::{attempts, carts, imports, keys, orders, people, products, sessions};
use crate::store::{Behaviour, HONEST};

/// A fault, and the cases that must find it.
pub(crate) type Row = (&'static str, Behaviour, &'static [&'static str]);

pub(crate) const FAULTS: &[Row] = &[
    (
        "sells what is not there",
        Behaviour {
            place: orders::oversells,
            ..HONEST
        },
        &[
            "the_last_unit",
            "a_flash_sale_sells_what_there_is",
            "carts_in_opposite_order",
            "cancel_races_orders",
            "every_shortage_is_listed",
        ],
    ),
    (
        "orders a cart twice",
        Behaviour {
            place: orders::doubles,
            ..HONEST
        },
        &[
            "double_submit_is_one_order",
            "two_clicks_in_a_batch_are_one_order",
            "an_empty_cart_is_refused",
        ],
    ),
    (
        "lets one refusal spoil the batch",
        Behaviour {
            place: orders::spoils_the_batch,
            ..HONEST
        },
        &["a_refused_neighbour_harms_nobody"],
    ),
    (
        "answers in another order",
        Behaviour {
            place: orders::answers_backwards,
            ..HONEST
        },
        &["a_refused_neighbour_harms_nobody", "a_large_batch"],
    ),
    (
        "keeps the cart that was ordered",
        Behaviour {
            place: orders::keeps_the_cart,
            ..HONEST
        },
        &["an_order_is_the_whole_cart"],
    ),
    (
        "clears what was added while it ordered",
        Behaviour {
            place: orders::clears_the_cart_late,
            ..HONEST
        },
        &["a_cart_that_changes_while_it_is_ordered"],
    ),
    (
        "gives stock back twice",
        Behaviour {
            change_order: orders::returns_twice,
            ..HONEST
        },
        &[
            "cancel_races_cancel",
            "delete_races_cancel",
            "cancelling_twice_returns_stock_once",
            "cancelling_returns_the_stock",
        ],
    ),
    (
        "acknowledges a cancellation that came too late",
        Behaviour {
            change_order: orders::always_cancels,
            ..HONEST
        },
        &["cancel_races_shipping", "a_refused_change_changes_nothing"],
    ),
    (
        "lists orders oldest first",
        Behaviour {
            list_orders: orders::lists_oldest_first,
            ..HONEST
        },
        &["orders_are_listed_newest_first"],
    ),
    (
        "loses parallel adds",
        Behaviour {
            change_cart: carts::loses_adds,
            ..HONEST
        },
        &["parallel_adds_lose_nothing"],
    ),
    (
        "tidies a cart that is read",
        Behaviour {
            cart: carts::tidies,
            ..HONEST
        },
        &[
            "reading_a_cart_changes_nothing",
            "a_cart_shows_its_products_as_they_are",
        ],
    ),
    (
        "lists products oldest first",
        Behaviour {
            list_products: products::lists_oldest_first,
            ..HONEST
        },
        &[
            "products_are_listed_newest_first",
            "archived_products_are_listed_apart",
        ],
    ),
    (
        "counts at another moment than it lists",
        Behaviour {
            list_products: products::counts_first,
            ..HONEST
        },
        &["lists_are_of_one_moment"],
    ),
    (
        "forgets the opening movement",
        Behaviour {
            create: products::opens_without_a_word,
            ..HONEST
        },
        &["stock_from_the_start_is_in_the_ledger"],
    ),
    (
        "gives a sku to two products",
        Behaviour {
            create: products::shares_skus_of_new,
            change_product: products::shares_skus_of_old,
            ..HONEST
        },
        &["one_sku_goes_to_one_product", "a_sku_has_one_holder"],
    ),
    (
        "sets stock from a level that it read before",
        Behaviour {
            change_product: products::sets_stock_late,
            place: orders::waits_a_moment,
            ..HONEST
        },
        &["setting_stock_races_orders"],
    ),
    (
        "adjusts a level that it read before",
        Behaviour {
            adjust: products::adjusts_late,
            ..HONEST
        },
        &["restocking_races_orders", "writing_off_races_writing_off"],
    ),
    (
        "sells what is archived",
        Behaviour {
            place: orders::sells_archived,
            ..HONEST
        },
        &["archiving_races_orders", "an_archived_product_is_not_sold"],
    ),
    (
        "changes a product that was edited since",
        Behaviour {
            change_product: products::overwrites,
            ..HONEST
        },
        &[
            "a_product_is_edited_as_it_was_seen",
            "edits_do_not_overwrite_each_other",
        ],
    ),
    (
        "looks at a product before it locks it",
        Behaviour {
            change_product: products::looks_before_it_locks,
            ..HONEST
        },
        &["edits_do_not_overwrite_each_other"],
    ),
    (
        "changes a cart line that was edited since",
        Behaviour {
            change_cart: carts::overwrites,
            ..HONEST
        },
        &["a_cart_line_is_edited_as_it_was_seen"],
    ),
    (
        "changes an order that was edited since",
        Behaviour {
            change_order: orders::overwrites,
            ..HONEST
        },
        &["an_order_is_edited_as_it_was_seen"],
    ),
    (
        "finds an account as often as it is asked for",
        Behaviour {
            find_accounts: people::names_everybody_asked_for,
            ..HONEST
        },
        &["accounts_are_found_together"],
    ),
    (
        "gives a username to two accounts",
        Behaviour {
            register: people::shares_names,
            ..HONEST
        },
        &["one_username_goes_to_one_account", "what_is_taken_is_named"],
    ),
    (
        "renews a hash whatever it is by now",
        Behaviour {
            renew_hash: people::renews_blindly,
            ..HONEST
        },
        &["a_renewed_hash_does_not_undo_a_change"],
    ),
    (
        "changes a password that was not checked",
        Behaviour {
            change_password: people::checks_nothing,
            ..HONEST
        },
        &[
            "one_checked_password_is_changed_once",
            "a_password_that_was_not_checked_stays",
        ],
    ),
    (
        "lets the last staff go",
        Behaviour {
            switch: people::lets_the_last_go,
            ..HONEST
        },
        &["the_last_staff_user_stays", "a_shop_keeps_its_last_staff"],
    ),
    (
        "takes % and _ for more than they are",
        Behaviour {
            list_users: people::knows_wildcards,
            ..HONEST
        },
        &["users_are_found_by_part_of_a_name"],
    ),
    (
        "lists users oldest first",
        Behaviour {
            list_users: people::lists_oldest_first,
            ..HONEST
        },
        &["users_are_listed_newest_first"],
    ),
    (
        "gives an address to two accounts",
        Behaviour {
            change_email: people::shares_addresses,
            ..HONEST
        },
        &["one_address_goes_to_one_account", "an_address_is_changed"],
    ),
    (
        "keeps the tokens of sessions that have ended",
        Behaviour {
            change_password: sessions::keeps_tokens,
            ..HONEST
        },
        &["tokens_are_forgotten_with_their_session"],
    ),
    (
        "gives a pair to everybody who is quick enough",
        Behaviour {
            refresh: sessions::rotates_twice,
            ..HONEST
        },
        &[
            "one_refresh_token_gives_one_pair",
            "a_refresh_token_works_once",
        ],
    ),
    (
        "ends a stolen token alone",
        Behaviour {
            refresh: sessions::ends_nothing,
            ..HONEST
        },
        &["a_stolen_token_ends_its_family"],
    ),
    (
        "lets a token live that is refreshed during a sign-out",
        Behaviour {
            end_family: sessions::ends_late,
            ..HONEST
        },
        &["signing_out_races_refreshing"],
    ),
    (
        "forgets tokens that live",
        Behaviour {
            forget_tokens: sessions::forgets_too_much,
            ..HONEST
        },
        &["old_tokens_are_forgotten"],
    ),
    (
        "forgets the keys of orders",
        Behaviour {
            place: keys::forgets_those_of_orders,
            ..HONEST
        },
        &[
            "one_key_is_one_order",
            "another_command_under_a_key_is_refused",
            "a_key_is_of_one_user_and_one_path",
            "a_refused_attempt_may_be_tried_again",
            "a_key_twice_in_a_batch_is_one_order",
            "orders_under_one_key_are_one",
            "old_keys_are_forgotten",
        ],
    ),
    (
        "answers with the order as it is by now",
        Behaviour {
            place: keys::answers_as_it_is_now,
            ..HONEST
        },
        &["one_key_is_one_order"],
    ),
    (
        "takes every command under a key for the same",
        Behaviour {
            place: keys::knows_one_command_for_each,
            ..HONEST
        },
        &[
            "another_command_under_a_key_is_refused",
            "a_key_twice_in_a_batch_is_one_order",
        ],
    ),
    (
        "has one set of keys for all paths",
        Behaviour {
            place: keys::has_one_set_for_all_paths,
            ..HONEST
        },
        &["a_key_is_of_one_user_and_one_path"],
    ),
    (
        "has one set of keys for all users",
        Behaviour {
            place: keys::shares_those_of_users,
            ..HONEST
        },
        &["a_key_is_of_one_user_and_one_path"],
    ),
    (
        "remembers refusals under a key",
        Behaviour {
            place: keys::remembers_refusals,
            ..HONEST
        },
        &["a_refused_attempt_may_be_tried_again"],
    ),
    (
        "overlooks a key that comes twice in a batch",
        Behaviour {
            place: keys::overlooks_duplicates_in_a_batch,
            ..HONEST
        },
        &["a_key_twice_in_a_batch_is_one_order"],
    ),
    (
        "forgets the keys of products",
        Behaviour {
            create: keys::forgets_those_of_products,
            ..HONEST
        },
        &["one_key_is_one_product", "products_under_one_key_are_one"],
    ),
    (
        "forgets the keys of deliveries",
        Behaviour {
            adjust: keys::forgets_those_of_deliveries,
            ..HONEST
        },
        &[
            "one_key_is_one_delivery",
            "deliveries_under_one_key_are_one",
        ],
    ),
    (
        "looks for a key before it takes a lock",
        Behaviour {
            adjust: keys::looks_before_it_leaps,
            ..HONEST
        },
        &["deliveries_under_one_key_are_one"],
    ),
    (
        "takes every key of a delivery for the same",
        Behaviour {
            adjust: keys::has_one_for_all_deliveries,
            ..HONEST
        },
        &["deliveries_under_many_keys_all_count"],
    ),
    (
        "forgets the keys of carts",
        Behaviour {
            change_cart: keys::forgets_those_of_carts,
            ..HONEST
        },
        &["one_key_is_one_addition", "additions_under_one_key_are_one"],
    ),
    (
        "forgets keys that are not old",
        Behaviour {
            forget_keys: keys::forgets_too_many,
            ..HONEST
        },
        &["old_keys_are_forgotten"],
    ),
    (
        "forgets no keys",
        Behaviour {
            forget_keys: keys::forgets_none,
            ..HONEST
        },
        &["old_keys_are_forgotten"],
    ),
    (
        "has the schema of another version",
        Behaviour {
            check: keys::is_of_another_version,
            ..HONEST
        },
        &["a_healthy_store_says_so"],
    ),
    (
        "takes over customers instead of staff",
        Behaviour {
            import: imports::forgets_who_is_staff,
            ..HONEST
        },
        &["a_shop_is_taken_over_as_it_was"],
    ),
    (
        "takes over what is on hand and not what was sold",
        Behaviour {
            import: imports::forgets_the_orders,
            ..HONEST
        },
        &["what_was_sold_is_in_the_ledger"],
    ),
    (
        "gives what it takes over other ids",
        Behaviour {
            import: imports::gives_ids_of_its_own,
            ..HONEST
        },
        &["later_ids_go_on_from_there"],
    ),
    (
        "takes over a part",
        Behaviour {
            import: imports::writes_what_it_can,
            ..HONEST
        },
        &["a_refused_import_writes_nothing"],
    ),
    (
        "says that a shop was taken over which was not",
        Behaviour {
            import: imports::ignores_who_was_faster,
            ..HONEST
        },
        &["an_import_races_a_registration"],
    ),
    (
        "looks before it counts a try",
        Behaviour {
            count_try: attempts::looks_before_it_counts,
            ..HONEST
        },
        &["tries_at_once_are_counted"],
    ),
    (
        "counts the tries of all places together",
        Behaviour {
            count_try: attempts::counts_all_places_together,
            ..HONEST
        },
        &["tries_are_counted_under_their_key"],
    ),
    (
        "counts a question as a try",
        Behaviour {
            may_try: HONEST.count_try,
            ..HONEST
        },
        &["asking_is_no_try"],
    ),
    (
        "keeps tries that are given back",
        Behaviour {
            give_back: attempts::keeps_what_is_given_back,
            ..HONEST
        },
        &["a_try_is_given_back"],
    ),
    (
        "forgives one try of many",
        Behaviour {
            forgive: attempts::gives_one_back,
            ..HONEST
        },
        &["tries_are_forgiven"],
    ),
    (
        "forgets counts of tries too early",
        Behaviour {
            forget_attempts: attempts::forgets_too_many,
            ..HONEST
        },
        &["old_tries_are_forgotten"],
    ),
    (
        "keeps wrong books",
        Behaviour {
            audit: orders::confesses,
            ..HONEST
        },
        &[
            "an_empty_batch_does_nothing",
            "an_unknown_product_is_absent",
        ],
    ),
    (
        "lists products whatever is asked for",
        Behaviour {
            list_products: products::ignores_filters,
            ..HONEST
        },
        &[
            "products_are_filtered",
            "words_are_found_in_every_script",
            "an_edit_is_found",
            "filtered_products_are_walked",
        ],
    ),
    (
        "sorts names by a language",
        Behaviour {
            list_products: products::sorts_by_language,
            ..HONEST
        },
        &["products_are_sorted"],
    ),
    (
        "takes wildcards",
        Behaviour {
            list_products: products::takes_wildcards,
            ..HONEST
        },
        &["words_are_found_in_every_script"],
    ),
    (
        "shows the edge of a part twice",
        Behaviour {
            slice_products: products::repeats_the_edge,
            ..HONEST
        },
        &["every_product_is_walked_past_once"],
    ),
    (
        "skips products that are equal",
        Behaviour {
            slice_products: products::skips_what_is_equal,
            ..HONEST
        },
        &["every_product_is_walked_past_once"],
    ),
    (
        "walks past what is asked for",
        Behaviour {
            slice_products: products::walks_past_filters,
            ..HONEST
        },
        &["filtered_products_are_walked"],
    ),
    (
        "finds products by their old names",
        Behaviour {
            change_product: products::keeps_old_names,
            ..HONEST
        },
        &["an_edit_is_found"],
    ),
    (
        "lists orders whatever is asked for",
        Behaviour {
            list_orders: orders::ignores_filters,
            ..HONEST
        },
        &["orders_are_filtered"],
    ),
    (
        "sorts orders by age alone",
        Behaviour {
            list_orders: orders::ignores_sorting,
            ..HONEST
        },
        &["orders_are_sorted"],
    ),
    (
        "skips orders that are equal",
        Behaviour {
            slice_orders: orders::skips_what_is_equal,
            ..HONEST
        },
        &["every_order_is_walked_past_once"],
    ),
];
