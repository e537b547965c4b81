//! What every build of ctu-core must do, as plain functions.
//!
//! Each case is a function that panics where ctu-core does not keep a promise. They are listed once, below:
//! on the host every one is a test (`cargo test -p ctu-conformance`), and firmware runs [`CASES`], and [`HEAP_CASES`]
//! where it has an allocator (feature `alloc`).
//! No case waits for time to pass, and each leaves room for 16 KiB of RAM.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

/// On a microcontroller a failed comparison tells its line and not both sides: with them, the suite would not fit
/// 256 KiB of flash. The host, which runs the same cases, tells both.
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

/// A case: what it shows, and the function that panics where that is not so.
pub type Case = (&'static str, fn());

/// The cases of one part of all, for firmware whose flash has no room for them all at once: what is not in the part is
/// not linked. `N` is `CASES.len()`.
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
        starts_empty,
        evicts_the_least_recently_used,
        holds_one_entry,
        holds_any_number_of_entries,
        get_makes_most_recently_used,
        get_mut_changes_the_value,
        peek_and_contains_keep_the_order,
        insert_returns_what_it_displaced,
        remove_frees_a_slot,
        pop_lru_empties_from_the_oldest,
        iterates_both_ways,
        retain_keeps_the_order,
        clear_empties,
        get_or_insert_with_makes_once,
        looks_up_borrowed_keys,
        compares_by_entries_and_order,
        survives_keys_of_one_hash,
        drops_each_value_once,
        lives_in_a_static,
        costs_eight_bytes_an_entry,
        agrees_with_a_list;
    ttl:
        expires_after_its_time,
        keeps_each_entry_its_own_time,
        expired_makes_room_before_live,
        evicts_the_least_recently_used_live_entry,
        insert_says_nothing_of_the_expired,
        rewriting_begins_a_new_life,
        looking_does_not_prolong_life,
        expire_sweeps,
        tells_what_remains,
        iterates_over_the_live,
        zero_time_expires_at_once,
        too_long_a_time_is_refused,
        longest_time_is_kept,
        costs_sixteen_bytes_an_entry,
        agrees_with_a_list;
    ttl_clock:
        stands_still,
        wraps_around,
        jitters_back,
        is_set_back,
        jumps_ahead,
        looking_through_a_lock_moves_time,
        a_miss_is_a_use,
        time_goes_on_after_a_clock_went_mad,
        clocks_that_disagree_make_time_run,
        counts_beyond_thirty_one_bits,
        expires_early_by_a_tick_at_most;
    keys:
        too_long_a_key_is_refused,
        too_long_a_value_is_refused,
        numbers_tuples_and_arrays_are_keys,
        own_types_are_keys,
        text_is_a_key,
        slices_become_values,
        errors_tell_lengths;
    cached:
        functions_remember_what_they_returned,
        functions_keep_no_error_and_no_long_key,
        methods_share_a_cache_by_prefixes;
    cache:
        inserts_gets_removes,
        pop_takes_out,
        get_or_insert_with_computes_once,
        get_or_insert_with_holds_no_lock,
        get_or_try_insert_with_stores_no_error,
        get_or_insert_with_says_what_does_not_fit,
        retain_removes_what_is_refused,
        plain_lru_keeps_no_time,
        ttl_is_told_and_kept,
        references_are_caches,
        is_used_as_a_trait_object;
    locks:
        spin_lock_in_a_static,
        spin_lock_is_busy_while_held,
        critical_section_in_a_static,
        critical_section_is_busy_for_its_holder,
        ref_cell_is_busy_while_borrowed,
        try_operations_do_as_the_others,
        with_does_several_in_one,
        values_are_dropped_after_the_lock,
        expired_values_are_dropped_after_the_lock,
        debug_of_a_held_lock_does_not_wait;
    prefixed:
        keeps_apart_what_shares_a_base,
        clear_removes_only_its_own,
        retain_sees_its_own_keys_without_prefix,
        prefixes_nest,
        text_has_prefixes,
        too_long_together_is_refused,
        empty_prefix_and_empty_key;
    stats:
        counts_every_operation,
        counts_get_or_insert_with,
        reset_begins_anew,
        hit_rate_of_nothing_is_zero,
        prints_itself;
    auto_prefixed:
        numbers_its_caches,
        writes_numbers_in_every_encoding,
        refuses_a_long_separator;
    debug:
        tells_of_every_operation,
        changes_nothing;
    bytes:
        writes_base85,
        what_is_not_base85_is_an_error,
        too_long_in_base85_is_refused;
    postcard:
        writes_own_types,
        what_does_not_decode_is_an_error,
        too_long_is_refused,
        encrypts_what_it_wrote;
    mapped:
        user_mapping_translates,
        each_operation_translates_its_key_once,
        one_mapping_serves_blocking_and_async,
        one_mapping_serves_a_single_core_executor,
        refusals_leave_the_cache_unchanged,
        damage_is_written_over;
    encrypted:
        gives_back_what_was_stored,
        stores_neither_key_nor_value_in_the_clear,
        salsa20_is_byte_exact,
        chacha20_is_byte_exact,
        aes_is_byte_exact,
        every_length_and_setting_comes_back,
        hashes_the_key_once_an_operation,
        sizes_out_of_range_are_refused,
        short_secrets_are_refused,
        damage_is_a_counted_miss,
        shortened_values_are_damage,
        other_secrets_see_nothing,
        too_long_a_value_changes_nothing,
        secrets_are_not_printed,
        works_through_prefixes_and_references;
}

#[cfg(feature = "alloc")]
suite! {
    /// Every case that needs a heap.
    HEAP_CASES, heap_tests;
    heap_stores:
        lru_does_as_the_one_without_a_heap,
        ttl_does_as_the_one_without_a_heap,
        capacity_zero_keeps_nothing,
        dict_keeps_everything,
        strings_and_vectors_are_keys,
        long_prefixes_go_to_the_heap,
        batches_are_as_many_operations;
    json:
        writes_as_python_does,
        keys_of_calls,
        what_does_not_decode_is_an_error;
}
