/// Appends a number in decimal. By hand, as formatting is a twentieth of a whole operation's time.
pub(crate) fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    while start > 0 {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    bytes.extend_from_slice(&digits[start..]);
}

/// Reads a number in decimal, of digits alone. `None` where it is none or too large.
pub(crate) fn read_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::{push_number, read_number};

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 7, 10, 1234, u64::MAX] {
            let mut bytes = b"x".to_vec();
            push_number(&mut bytes, number);
            assert_eq!(bytes, format!("x{number}").as_bytes());
            assert_eq!(read_number(&bytes[1..]), Some(number));
        }
    }

    #[test]
    fn invalid_number_is_none() {
        for text in [
            "",
            " 1",
            "1 ",
            "+1",
            "-1",
            "1a",
            "18446744073709551616",
            "/",
            ":",
        ] {
            assert_eq!(read_number(text.as_bytes()), None, "{text}");
        }
    }
}
