//! docs/errors.md: the table of error codes, for people.

use std::fmt::Write;

use partway::error::{Category, Code, Disposition, Remedy};

const HEAD: &str = "# Errors

Written from `src/error/code.rs` by `cargo xtask errors`; a test fails when it is stale.

Programs compare the **number**; it is never reused, and never reads as an HTTP status. The name is as stable. A log line begins with
`PW-<number> <name>`. What a program should do is the **disposition**, what a person should do is the **remedy**: a key for the app's own translations.
An error may also carry the HTTP status, the service's own word, its request id, and the time after which it asked to be tried again.
None of its texts holds a token, a URL, a path or a user's name.

An error does not always end an upload: what a person or the host can mend (`ask_user`, and most of `retry`) is a waiting state that names it.

";

pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    for category in Category::ALL {
        let _ = write!(page, "## {}: {}\n\n", category.name(), about(*category));
        page += "| number | name | disposition | remedy | meaning |\n|---|---|---|---|---|\n";
        for code in Code::ALL.iter().filter(|code| code.category() == *category) {
            let (number, name, meaning) = (code.number(), code.name(), code.meaning());
            let (disposition, remedy) = (code.disposition().name(), code.remedy().name());
            let _ = writeln!(page, "| {number} | `{name}` | {disposition} | {remedy} | {meaning} |");
        }
        page.push('\n');
    }
    page += "## Dispositions\n\n| word | what a program should do |\n|---|---|\n";
    for disposition in Disposition::ALL {
        let what = match disposition {
            Disposition::Retry => "the same thing again, later; the library does so itself where it can",
            Disposition::Restart => "the upload from its beginning",
            Disposition::AskUser => "ask: only a person, or the host in a person's name, can mend it",
            Disposition::Final => "nothing; it will not get better",
        };
        let _ = writeln!(page, "| `{}` | {what} |", disposition.name());
    }
    let words: Vec<String> = Remedy::ALL.iter().map(|remedy| format!("`{}`", remedy.name())).collect();
    let _ = write!(page, "\n## Remedies\n\nThe closed list of translation keys:\n{}.\n", words.join(", "));
    page
}

fn about(category: Category) -> &'static str {
    match category {
        Category::Usage => "the caller asked for something that can't be",
        Category::Source => "the file to upload",
        Category::Network => "the way to the service",
        Category::Service => "the service's own answer",
        Category::State => "what is kept on this device",
        Category::Lifecycle => "the upload's or the client's life",
        Category::Unknown => "it can't be told whether the object exists",
        Category::Bug => "a fault of the library",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_fresh() {
        let there = std::fs::read_to_string(crate::root().join("docs/errors.md")).expect("docs/errors.md");
        assert!(there == super::page(), "docs/errors.md is stale: run `cargo xtask errors`");
    }
}
