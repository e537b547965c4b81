#![no_main]
//! Base85: bytes come back from their text, and text that is read is the text of its bytes, but for
//! spellings of a short group that have the same bytes.

use ctu_core::base85;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text: String = base85::encode(bytes).expect("room");
    assert_eq!(text.len(), base85::encoded_len(bytes.len()));
    assert_eq!(base85::decode::<Vec<u8>>(&text).as_deref(), Ok(bytes));
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(read) = base85::decode::<Vec<u8>>(text) {
        assert_eq!(read.len(), base85::decoded_len(text.len()));
        let again: String = base85::encode(&read).expect("room");
        assert_eq!(base85::decode::<Vec<u8>>(&again), Ok(read));
        let whole = text.len() / 5 * 5;
        assert_eq!(again.get(..whole), text.get(..whole));
    }
    // A buffer of any capacity is filled or told the length that is missing.
    let _ = base85::decode::<ctu_core::Bytes<7>>(text);
});
