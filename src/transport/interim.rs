//! Interim answers (RFC 9110 §15.2) as what stands in between may send them: any number, with headers. ureq takes a 100 with headers for the answer
//! itself and sends no body, and a 103 for the permission to send it.

/// The permission to send a body, as ureq knows it. The shortest that can be said: every one with headers is longer.
pub(super) const GO_ON: &[u8] = b"HTTP/1.1 100\r\n\r\n";

/// What stands at the beginning of an input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Nothing interim, or too little to tell.
    Other,
    /// An interim answer of which the end is not here yet.
    Begun,
    /// A whole one: its length, and that it is the permission to send the body.
    Whole { len: usize, goes_on: bool },
}

/// Looks at what came. Another protocol (101) is no interim answer: nothing follows it.
pub(super) fn head(input: &[u8]) -> Head {
    let status = match input.get(..12) {
        Some(line) if line.starts_with(b"HTTP/1.") && line[8] == b' ' && line[9] == b'1' => &line[9..12],
        _ => return Head::Other,
    };
    if !status.iter().all(u8::is_ascii_digit) || status == b"101" {
        return Head::Other;
    }
    let ends = |at: &usize| matches!(&input[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]);
    let lines = input.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    match lines.into_iter().find(ends) {
        Some(at) => {
            let len = at + if input[at + 1] == b'\n' { 2 } else { 3 };
            Head::Whole { len, goes_on: status == b"100" }
        }
        None => Head::Begun,
    }
}

/// A final answer of 300 and above at the beginning, behind any interim ones.
pub(super) fn is_refusal(mut input: &[u8]) -> bool {
    while let Head::Whole { len, .. } = head(input) {
        input = &input[len..];
    }
    input
        .get(..10)
        .is_some_and(|line| line.starts_with(b"HTTP/1.") && line[8] == b' ' && matches!(line[9], b'3'..=b'5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interim_answers_end_with_an_empty_line() {
        let whole = |text: &str| match head(text.as_bytes()) {
            Head::Whole { len, goes_on } => Some((len, goes_on)),
            _ => None,
        };
        assert_eq!(whole("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), Some((25, true)));
        assert_eq!(whole("HTTP/1.1 100 Continue\r\nVia: 1.1 x\r\n\r\n"), Some((37, true)));
        assert_eq!(whole("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), Some((37, false)));
        assert_eq!(whole("HTTP/1.0 100 \n\n"), Some((15, true)));
        for begun in ["HTTP/1.1 100", "HTTP/1.1 103 Early\r\nLink: <x>\r\n", "HTTP/1.1 100 Continue\r\n\r"] {
            assert_eq!(head(begun.as_bytes()), Head::Begun, "{begun:?}");
        }
        for other in
            ["", "HTTP/1.1 10", "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 1x0 a\r\n\r\n"]
        {
            assert_eq!(head(other.as_bytes()), Head::Other, "{other:?}");
        }
    }

    #[test]
    fn a_refusal_is_final_and_above_299() {
        assert!(is_refusal(b"HTTP/1.1 403 Forbidden\r\n"));
        assert!(is_refusal(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 x"));
        assert!(is_refusal(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 417 x"));
        for no in
            ["", "HTTP/1.1 4"[..9].as_ref(), "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "SSH-2.0-x 444"]
        {
            assert!(!is_refusal(no.as_bytes()), "{no}");
        }
    }
}
