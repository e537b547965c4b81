//! The conformance suite of ctu-core, as plain functions.
//!
//! Each case is a function that panics on a broken promise. The list below is the only one: on the
//! host every case is a test (`cargo test -p ctu-conformance`), and firmware runs [`CASES`], and
//! [`HEAP_CASES`] with an allocator (feature `alloc`). No case waits for time to pass, and each
//! runs in 16 KiB of RAM.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

/// On a microcontroller a failed comparison prints its line only: with both sides, the suite would
/// not fit 256 KiB of flash. The host runs the same cases and prints both.
#[cfg(target_os = "none")]
macro_rules! assert_eq {
    ($left:expr, $right:expr) => {
        assert_eq!($left, $right, "{}", concat!(stringify!($left), " is not ", stringify!($right)))
    };
    ($left:expr, $right:expr, $($message:tt)+) => {
        if $left != $right {
            panic!($($message)+);
        }
    };
}

mod support;
mod vectors;

/// A case: its name, and the function that panics on failure.
pub type Case = (&'static str, fn());

/// One part of the cases, for firmware without flash for all of them at once: cases outside the
/// part are not linked. `N` is `CASES.len()`.
pub const fn part<const N: usize>(part: usize, parts: usize) -> [Option<Case>; N] {
    let mut cases = [None; N];
    let mut i = 0;
    while i < N && i < CASES.len() {
        if i * parts / CASES.len() == part {
            cases[i] = Some(CASES[i]);
        }
        i += 1;
    }
    cases
}

/// Lists cases: a module a topic, a function a case.
macro_rules! suite {
    ($(#[$doc:meta])* $CASES:ident, $tests:ident; $($topic:ident: $($case:ident),+;)+) => {
        $(mod $topic;)+

        $(#[$doc])*
        pub const $CASES: &[Case] = &[
            $($((concat!(stringify!($topic), "::", stringify!($case)), $topic::$case)),+),+
        ];

        #[cfg(test)]
        mod $tests {
            $(mod $topic {
                $(
                    #[test]
                    fn $case() {
                        crate::$topic::$case();
                    }
                )+
            })+
        }
    };
}

suite! {
    /// Every case that needs no heap, in the order of the topics.
    CASES, tests;
    lru:
        new_store_is_empty,
        evicts_the_least_recently_used,
        capacity_one_works,
        any_capacity_works,
        get_marks_the_entry_most_recently_used,
        get_mut_gives_a_mutable_value,
        peek_and_contains_keep_the_order,
        insert_returns_the_displaced_entry,
        remove_frees_a_slot,
        pop_lru_removes_the_oldest_first,
        iterates_both_ways,
        retain_keeps_the_order,
        clear_removes_every_entry,
        get_or_insert_with_calls_the_closure_once,
        lookup_takes_a_borrowed_key,
        equality_compares_entries_and_order,
        store_is_a_collection,
        borrowed_store_is_a_store,
        keys_of_one_hash_work,
        full_bucket_replaces_its_oldest_entry,
        retain_in_steps_visits_every_entry,
        each_value_is_dropped_once,
        store_works_in_a_static,
        entry_takes_eight_bytes_over_key_and_value,
        entry_of_a_small_store_takes_four_bytes_over_key_and_value,
        small_store_agrees_with_a_large_one,
        promote_and_demote_change_the_order,
        iter_mut_reaches_every_value,
        try_get_or_insert_with_stores_no_error,
        random_operations_agree_with_a_list;
    arena:
        arena_evicts_the_least_recently_used_until_there_is_room,
        arena_without_room_refuses_an_entry,
        arena_refuses_entries_above_its_bytes,
        entry_of_an_arena_takes_six_bytes_over_key_and_value,
        arena_is_a_cache,
        sweep_of_an_arena_visits_every_entry,
        arena_moves_its_records_together;
    unordered:
        clock_evicts_an_entry_without_a_hit,
        clock_evicts_after_eight_entries_at_the_latest,
        full_store_refuses_a_new_key,
        keys_of_one_hash_fill_a_fixed_store,
        unordered_entry_takes_four_or_two_bytes_over_key_and_value,
        sweeps_of_unordered_stores_visit_every_entry,
        clock_works_at_every_small_capacity,
        computed_values_are_stored_once;
    s3_fifo:
        scan_does_not_displace_used_entries,
        new_entry_without_two_hits_leaves_first,
        evicted_key_that_comes_back_stays,
        small_queue_grows_where_keys_come_back,
        skewed_keys_with_scans_are_found_more_often_than_by_lru,
        eviction_moves_eight_entries_at_most,
        removed_entries_leave_room,
        keys_of_one_hash_are_bounded_in_their_bucket,
        s3_fifo_entry_takes_eight_or_five_bytes_over_key_and_value,
        s3_fifo_works_at_every_small_capacity;
    flash:
        entries_outlive_a_reset,
        full_flash_evicts_the_oldest_page,
        full_settings_refuse_a_write,
        power_may_fail_after_each_word,
        async_form_reads_the_entries_of_the_blocking_one,
        front_and_seal_stack_over_it;
    ttl:
        entry_expires_after_its_ttl,
        each_entry_has_its_own_ttl,
        expired_entry_is_evicted_before_a_live_one,
        evicts_the_least_recently_used_live_entry,
        insert_does_not_return_an_expired_entry,
        rewrite_restarts_the_ttl,
        lookup_does_not_extend_the_ttl,
        expire_removes_expired_entries,
        remaining_returns_the_time_left,
        iteration_skips_expired_entries,
        iteration_by_value_skips_expired_entries,
        write_of_a_new_key_removes_an_expired_entry,
        retain_in_steps_removes_expired_entries,
        zero_ttl_expires_at_once,
        ttl_above_the_maximum_is_an_error,
        maximum_ttl_is_accepted,
        entry_takes_sixteen_bytes_over_key_and_value,
        entry_of_a_small_store_takes_ten_bytes_over_key_and_value,
        ttl_of_a_store_can_be_set,
        computed_values_expire,
        order_and_values_of_live_entries_can_be_changed,
        random_operations_agree_with_a_list;
    ttl_clock:
        stopped_clock_expires_nothing,
        wrapped_clock_keeps_deadlines,
        small_step_back_pauses_the_time,
        clock_set_back_keeps_live_and_expired,
        jump_ahead_counts_as_elapsed_time,
        lookup_through_a_lock_advances_the_time,
        miss_advances_the_time,
        time_continues_after_a_wild_clock,
        alternating_clocks_expire_early,
        deadlines_work_beyond_32_bits,
        expired_entries_stay_expired_when_ticks_wrap,
        idle_store_may_expire_entries_early,
        entry_expires_at_most_one_tick_early;
    keys:
        key_too_long_is_an_error,
        value_too_long_is_an_error,
        numbers_tuples_and_arrays_are_keys,
        user_types_are_keys,
        text_is_a_key,
        slices_convert_to_values,
        errors_report_lengths;
    cached:
        cached_function_runs_once_per_argument,
        cached_function_stores_no_error_and_no_long_key,
        methods_share_a_cache_by_prefixes;
    cache:
        insert_get_and_remove_work,
        pop_removes_and_returns_the_value,
        get_or_insert_with_computes_once,
        get_or_insert_with_holds_no_lock,
        get_or_try_insert_with_stores_no_error,
        get_or_insert_with_reports_a_value_that_does_not_fit,
        retain_removes_rejected_keys,
        plain_lru_rejects_a_ttl,
        ttl_is_reported_and_applied,
        references_are_caches,
        cache_works_as_a_trait_object;
    locks:
        spin_lock_works_in_a_static,
        spin_lock_is_busy_while_held,
        critical_section_lock_works_in_a_static,
        critical_section_is_busy_for_its_holder,
        ref_cell_is_busy_while_borrowed,
        try_operations_match_the_waiting_ones,
        with_runs_several_operations_under_one_lock,
        values_are_dropped_after_unlock,
        expired_values_are_dropped_after_unlock,
        debug_output_does_not_wait_for_the_lock;
    prefixed:
        prefixes_separate_caches_on_one_base,
        clear_removes_only_keys_with_the_prefix,
        retain_passes_keys_without_the_prefix,
        prefixes_nest,
        text_keys_take_prefixes,
        prefix_and_key_too_long_together_is_an_error,
        empty_prefix_and_empty_key_are_valid;
    stats:
        stats_count_every_operation,
        stats_count_get_or_insert_with,
        reset_sets_all_counts_to_zero,
        hit_rate_is_zero_before_the_first_read,
        stats_have_a_text_form;
    auto_prefixed:
        auto_prefixes_number_the_caches,
        auto_prefixes_have_every_encoding,
        long_separator_is_an_error,
        separator_of_digits_is_an_error;
    debug:
        debug_cache_reports_every_operation,
        debug_cache_changes_no_result,
        observers_see_the_operations_of_an_async_cache;
    bytes:
        bytes_cache_stores_base85,
        invalid_base85_is_an_error,
        value_too_long_in_base85_is_an_error;
    postcard:
        postcard_stores_user_types,
        undecodable_value_is_an_error,
        value_too_long_in_postcard_is_an_error,
        postcard_composes_with_encryption;
    mapped:
        user_mapping_converts_keys_and_values,
        each_operation_maps_its_key_once,
        one_mapping_works_blocking_and_async,
        one_mapping_works_on_a_single_core_executor,
        rejected_operations_leave_the_cache_unchanged,
        corrupt_value_is_overwritten;
    encrypted:
        encrypted_value_round_trips,
        stored_key_and_value_are_not_plaintext,
        salsa20_matches_python,
        chacha20_matches_python,
        aes_matches_python,
        every_length_and_setting_round_trips,
        each_operation_hashes_its_key_once,
        sizes_out_of_range_are_errors,
        short_secret_is_an_error,
        corrupt_value_is_a_counted_miss,
        truncated_value_is_corrupt,
        other_secret_reads_a_miss,
        encrypted_value_too_long_changes_nothing,
        secrets_are_not_printed,
        encryption_composes_with_prefixes_and_references;
    sealed:
        stored_values_come_back,
        every_length_comes_back_in_every_suite,
        neither_key_nor_value_is_stored_in_the_clear,
        plain_names_are_the_keys,
        every_bit_is_authenticated,
        every_cut_is_rejected,
        a_moved_entry_is_rejected,
        contexts_are_kept_apart,
        a_new_epoch_forgets_all,
        keys_rotate,
        short_secrets_are_refused,
        too_long_a_value_changes_nothing,
        an_expired_entry_that_is_put_back_is_rejected,
        an_unset_wall_clock_vouches_for_no_time,
        equal_values_with_salt_differ,
        secrets_are_not_printed;
}

#[cfg(feature = "alloc")]
suite! {
    /// Every case that needs a heap.
    HEAP_CASES, heap_tests;
    heap_stores:
        heap_lru_matches_the_inline_one,
        heap_ttl_matches_the_inline_one,
        capacity_zero_keeps_nothing,
        lower_capacity_evicts_entries,
        dict_never_evicts,
        strings_and_vectors_are_keys,
        long_prefixes_use_the_heap,
        batches_match_single_operations;
    json:
        json_values_match_python,
        json_keys_of_calls_match_python,
        undecodable_value_is_an_error;
}
