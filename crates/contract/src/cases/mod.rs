//! The cases, in folders by context. A public function in this module that is missing from the list
//! below is reported as dead code.

pub(crate) mod addresses;
mod cart;
mod catalog;
mod events;
mod identity;
mod import;
mod inventory;
mod kernel;
pub(crate) mod orders;
pub(crate) mod races;

pub(crate) use cart::carts;
pub(crate) use catalog::{products, products_together, search};
pub(crate) use events::{log, reports};
pub(crate) use identity::{accounts, attempts, names, roles, sessions, staff_sessions};
pub(crate) use import::{imports, product_imports};
pub(crate) use inventory::{ledger, stock};
pub(crate) use kernel::{cursor_pagination, idempotency, lists, preconditions, slices};
pub(crate) use orders::{placement, quotas};

/// The list of cases, passed to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! each_case {
    ($then:path) => {
        $then! {
            products {
                a_new_product_is_as_drafted,
                an_unknown_product_is_absent,
                products_are_found_together,
                products_are_listed_newest_first,
                archived_products_are_listed_apart,
                a_change_touches_what_it_names,
                a_change_that_changes_nothing_keeps_the_time,
                a_product_is_archived_and_brought_back,
                a_sku_has_one_holder,
                a_sku_can_be_given_up,
                another_currency_is_refused,
                texts_come_back_as_written,
                times_come_back_to_the_microsecond,
            }
            products_together {
                products_are_changed_together_or_not_at_all,
                changes_together_race_orders,
            }
            stock {
                stock_from_the_start_is_in_the_ledger,
                setting_stock_is_in_the_ledger,
                an_adjustment_is_in_the_ledger,
                an_adjustment_is_no_edit,
                an_adjustment_stays_within_its_bounds,
                an_archived_product_cannot_be_adjusted,
                movements_are_listed_newest_first,
                returned_units_may_exceed_the_most,
            }
            carts {
                a_new_cart_is_empty,
                adding_makes_a_line_and_adds_up,
                adding_is_refused,
                setting_a_line,
                setting_is_refused,
                removing_and_emptying,
                carts_are_private_to_their_user,
                carts_are_read_together,
                reading_a_cart_changes_nothing,
                a_cart_shows_current_products,
                a_cart_holds_100_lines,
            }
            slices {
                a_refused_cart_change_does_not_affect_its_neighbours,
                cart_changes_of_a_slice_see_each_other,
                a_key_repeated_in_a_slice_is_one_addition,
                order_changes_of_a_slice_see_each_other,
                adjustments_of_a_slice_see_each_other,
                product_changes_of_a_slice_see_each_other,
                an_empty_slice_does_nothing,
                slices_of_one_cart_lose_nothing,
            }
            placement {
                an_order_is_the_whole_cart,
                an_order_is_a_snapshot,
                an_empty_cart_is_refused,
                every_shortage_is_listed,
                an_archived_product_is_not_sold,
                the_agreed_total_guards_the_order,
                two_clicks_in_a_batch_are_one_order,
                the_last_unit_of_a_batch_goes_to_the_first,
                a_refused_request_does_not_affect_its_neighbours,
                a_large_batch,
                an_empty_batch_does_nothing,
                a_placement_id_makes_one_order,
                the_largest_order_is_exact,
            }
            quotas {
                open_orders_are_bounded,
                orders_within_an_hour_are_bounded,
                orders_from_the_future_use_no_quota,
                a_quota_is_each_customers_own,
            }
            orders {
                orders_are_listed_newest_first,
                orders_are_listed_by_owner_and_apart_if_deleted,
                an_unknown_order_is_absent,
                staff_take_an_order_to_its_end,
                the_same_status_changes_nothing,
                cancelling_returns_the_stock,
                cancelling_twice_returns_stock_once,
                stock_of_an_archived_product_comes_back,
                a_deleted_order_is_cancelled_and_archived,
                a_refused_change_changes_nothing,
            }
            lists {
                products_are_filtered,
                products_are_sorted,
                orders_are_filtered,
                orders_are_sorted,
            }
            cursor_pagination {
                cursor_pages_list_every_product_once,
                cursor_pages_respect_the_filter,
                cursor_pages_list_every_order_once,
                cursor_pages_list_every_account_once,
            }
            search {
                words_are_found_in_every_script,
                every_word_has_to_be_found,
                an_edit_is_found,
            }
            accounts {
                a_new_account_is_as_registered,
                an_unknown_account_is_absent,
                accounts_are_found_together,
                taken_names_and_addresses_are_reported,
                names_come_back_as_written,
                a_new_password_ends_every_session,
                a_password_that_was_not_checked_stays,
                a_renewed_hash_does_not_undo_a_change,
                users_are_activated_and_promoted,
                a_shop_keeps_its_last_staff,
                an_address_is_changed,
                users_are_listed_newest_first,
                users_are_found_by_part_of_a_name,
            }
            addresses {
                a_new_address_is_as_given,
                addresses_are_of_one_customer,
                addresses_are_listed_newest_first,
                an_address_is_changed,
                a_deleted_address_is_gone,
                an_address_book_holds_20_addresses,
                a_refused_address_does_not_affect_its_neighbours,
                an_address_edit_checks_its_precondition,
                one_key_is_one_address,
                the_last_place_for_an_address,
                edits_of_an_address_do_not_overwrite_each_other,
                addresses_under_one_key_are_one,
            }
            names {
                names_that_look_alike_are_refused,
                a_username_is_no_address_of_another_account,
            }
            roles {
                a_product_is_created_by_current_staff,
                a_product_is_changed_by_current_staff,
                stock_is_adjusted_by_current_staff,
                an_order_is_changed_by_current_staff,
                a_role_is_given_by_current_staff,
                a_user_is_reset_by_current_staff,
                a_deactivated_customer_places_no_order,
                a_deactivated_customer_cancels_no_order,
                an_address_is_changed_by_an_active_account,
            }
            sessions {
                a_refresh_token_works_once,
                a_stolen_token_ends_its_family,
                reuse_of_a_purged_token_ends_its_family,
                a_refresh_token_ends,
                tokens_end_with_their_sessions,
                signing_out_ends_the_family,
                expired_tokens_are_purged,
                a_user_has_a_bounded_number_of_families,
                all_sessions_of_a_user_end_at_once,
                a_reset_ends_every_session,
            }
            staff_sessions {
                a_staff_session_is_found_by_its_digest,
                an_ended_staff_session_stays_ended,
                staff_sessions_are_bounded,
                expired_staff_sessions_are_purged,
            }
            preconditions {
                a_product_edit_checks_its_precondition,
                a_cart_line_edit_checks_its_precondition,
                an_order_edit_checks_its_precondition,
            }
            attempts {
                attempts_are_counted_per_key,
                limited_actions_are_counted_separately,
                checking_a_limit_counts_no_attempt,
                an_attempt_can_be_released,
                attempts_can_be_reset,
                old_attempts_are_purged,
                concurrent_attempts_are_counted,
                attempts_are_counted_over_networks,
                known_networks_are_of_one_account,
                the_latest_known_networks_are_kept,
                old_known_networks_are_purged,
            }
            idempotency {
                one_key_is_one_order,
                another_command_under_a_key_is_refused,
                a_key_is_of_one_user_and_one_path,
                a_refused_attempt_may_be_retried,
                a_key_twice_in_a_batch_is_one_order,
                one_key_is_one_product,
                one_key_is_one_delivery,
                one_key_is_one_addition,
                old_keys_are_purged,
                stored_responses_are_bounded_in_bytes,
                a_healthy_store_passes_its_health_check,
                clock_readings_are_kept,
            }
            imports {
                an_import_keeps_ids_and_values,
                an_adjusted_total_is_kept,
                past_sales_are_in_the_ledger,
                ids_continue_after_an_import,
                an_imported_order_can_be_cancelled,
                a_large_shop_is_imported,
                a_refused_import_writes_nothing,
            }
            product_imports {
                products_are_imported_by_their_skus,
                the_same_products_twice_change_nothing,
                imported_stock_is_in_the_ledger,
                archived_products_are_imported,
                a_refused_product_import_writes_nothing,
                a_large_product_import_is_applied,
                an_interrupted_product_import_is_completed,
                staged_rows_are_read_with_their_products,
                rows_of_one_sku_are_found,
                a_newer_product_import_replaces_an_older_one,
                products_are_imported_by_current_staff,
            }
            ledger {
                an_empty_shop_has_an_empty_ledger,
                an_audit_looks_at_everything,
                entries_are_numbered_in_the_order_of_writing,
                stock_is_checked_in_parts,
                the_last_ledger_checks_are_kept,
            }
            log {
                an_event_is_committed_with_its_cause,
                changes_of_accounts_have_events,
                a_refusal_has_no_event,
                stock_crossings_have_events,
                an_import_has_events,
                a_filter_selects_events,
                the_feed_has_no_gaps,
                a_late_commit_is_not_missed,
                a_feed_has_one_identity,
            }
            reports {
                sales_are_sums_of_orders,
                imported_orders_are_in_the_sums,
                low_stock_is_listed,
            }
            races {
                the_last_unit,
                a_flash_sale_sells_exactly_the_stock,
                carts_in_opposite_order,
                double_submit_is_one_order,
                parallel_adds_lose_nothing,
                a_cart_that_changes_while_it_is_ordered,
                cancel_races_cancel,
                delete_races_cancel,
                cancel_races_shipping,
                cancel_races_orders,
                restocking_races_orders,
                writing_off_races_writing_off,
                setting_stock_races_orders,
                archiving_races_orders,
                one_sku_goes_to_one_product,
                one_username_goes_to_one_account,
                one_of_the_names_that_look_alike_is_taken,
                a_username_races_the_same_address,
                one_checked_password_is_changed_once,
                the_last_staff_user_stays,
                one_first_staff_user_is_registered,
                a_demoted_user_cannot_undo_it,
                one_refresh_token_gives_one_pair,
                signing_out_races_refreshing,
                concurrent_sign_ins_stay_within_the_quota,
                one_address_goes_to_one_account,
                lists_are_read_from_one_snapshot,
                a_search_is_read_from_one_snapshot,
                an_import_races_a_registration,
                a_product_import_races_orders,
                a_product_import_races_an_edit,
                orders_under_one_key_are_one,
                products_under_one_key_are_one,
                additions_under_one_key_are_one,
                deliveries_under_one_key_are_one,
                deliveries_under_many_keys_all_count,
                edits_do_not_overwrite_each_other,
            }
        }
    };
}
