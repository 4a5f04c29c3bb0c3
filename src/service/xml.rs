//! The storage's error body (smh §4.4, koodrive §5): two words of it, nothing else.

use quick_xml::{Reader, events::Event};

/// Longest body that is read.
const BYTES_MAX: usize = 64 << 10;
/// Longest word that is kept; labels are shorter still.
const WORD_BYTES_MAX: usize = 256;

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StorageError {
    pub(super) code: Option<String>,
    pub(super) request_id: Option<String>,
}

/// Reads `Error/Code` and `Error/RequestId`. A DTD, an entity, a second level or garbage: nothing is known.
pub(super) fn read(body: &[u8]) -> StorageError {
    std::str::from_utf8(body)
        .ok()
        .filter(|text| text.len() <= BYTES_MAX)
        .and_then(|text| walk(text.trim_start_matches('\u{feff}')))
        .unwrap_or_default()
}

fn walk(text: &str) -> Option<StorageError> {
    let mut reader = Reader::from_str(text);
    let mut error = StorageError::default();
    let mut depth = 0usize;
    let mut word: Option<(bool, String)> = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                depth += 1;
                let local = start.local_name();
                match (depth, local.as_ref()) {
                    (1, "Error") => {}
                    (2, "Code") => word = Some((true, String::new())),
                    (2, "RequestId") => word = Some((false, String::new())),
                    (2, _) => word = None,
                    // The root is something else, or a word holds elements.
                    _ => return None,
                }
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                if let Some((is_code, text)) = word.take() {
                    let slot = if is_code { &mut error.code } else { &mut error.request_id };
                    *slot = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
                }
            }
            Event::Text(text) => {
                if let Some((_, word)) = &mut word {
                    word.push_str(&text);
                    if word.len() > WORD_BYTES_MAX {
                        return None;
                    }
                }
            }
            Event::GeneralRef(reference) => {
                // The five of XML and numbers may stand in a message; a word has no use for them.
                let known = reference.is_char_ref() || ["amp", "lt", "gt", "quot", "apos"].contains(&&*reference);
                if word.is_some() || !known {
                    return None;
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => return (depth == 0).then_some(error),
            Event::Empty(_) if depth == 0 => return None,
            Event::Empty(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> Option<String> {
        read(text.as_bytes()).code
    }

    #[test]
    fn the_two_words_are_read() {
        let text = "<?xml version='1.0' encoding='utf-8' ?>\n<Error><Code>AccessDenied</Code>\
                    <Message>Request has expired &amp; gone</Message><Resource>/x</Resource>\
                    <RequestId> NWEy </RequestId><TraceId/></Error>";
        let both = StorageError { code: Some("AccessDenied".into()), request_id: Some("NWEy".into()) };
        assert_eq!(read(text.as_bytes()), both);
        assert_eq!(code_of("<s3:Error xmlns:s3='x'><Code>SlowDown</Code></s3:Error>").as_deref(), Some("SlowDown"));
    }

    #[test]
    fn anything_else_says_nothing() {
        for text in [
            "",
            "<html><body>Busy</body></html>",
            "<Error><Code><Code>A</Code></Code></Error>",
            "<Error><Details><Code>A</Code></Details></Error>",
            "<Error><Code>A</Code>",
            "<!DOCTYPE Error [<!ENTITY a 'b'>]><Error><Code>A</Code></Error>",
            "<Error><Code>&a;</Code></Error>",
            "<Error><Code>A</Code><Message>&a;</Message></Error>",
            "\u{0}\u{1}",
        ] {
            assert_eq!(code_of(text), None, "{text}");
        }
        assert_eq!(code_of(&format!("<Error><Code>{}</Code></Error>", "a".repeat(300))), None);
        assert_eq!(code_of(&format!("<Error><Code>A</Code></Error>{}", " ".repeat(BYTES_MAX))), None);
        assert_eq!(read(b"<Error><Code>\xff</Code></Error>"), StorageError::default());
    }
}
