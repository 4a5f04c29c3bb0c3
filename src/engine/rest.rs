//! What a host says of an upload that nobody works on is kept without waking it, where that is all there is to do.

use super::{
    Command, Facts, Record,
    record::{Ending, Remote, Wish},
};

/// The records that keep what was said; `None`: only its machine can do it.
pub fn at_rest(facts: &Facts, command: &Command, unix_ms: i64) -> Option<Vec<Record>> {
    if facts.ending.is_some() {
        return Some(vec![]);
    }
    let wish =
        |wish| if facts.wish == wish || facts.wish == Wish::Cancel { vec![] } else { vec![Record::Wish { wish }] };
    match command {
        Command::Pause => Some(wish(Wish::Pause)),
        Command::Resume => Some(wish(Wish::Run)),
        Command::LookAgain | Command::Hold | Command::Go | Command::ClientParallelParts(_) => Some(vec![]),
        // An answer may cost the session, which its machine knows.
        Command::Conflict(_) if facts.conflict_asked => None,
        Command::Conflict(conflict) if facts.conflict != *conflict => {
            Some(vec![Record::Conflict { conflict: conflict.clone() }])
        }
        Command::OnChange(on_change) if facts.on_change != *on_change => {
            Some(vec![Record::OnChange { on_change: *on_change }])
        }
        Command::Conflict(_) | Command::OnChange(_) => Some(vec![]),
        Command::SourceIs(source) => {
            Some(source.news_to(&facts.upload.source).map(|source| Record::Source { source }).into_iter().collect())
        }
        Command::Tune(tuning) if tuning.is_empty() => Some(vec![]),
        Command::Tune(tuning) => Some(vec![Record::Tuned { tuning: *tuning }]),
        // Nothing was ever begun at the service, so there is nothing to undo and nothing to find out.
        Command::Cancel if never_begun(facts) => {
            let ending = Ending::Cancelled(Remote::NothingThere);
            Some([wish(Wish::Cancel), vec![Record::Ending { ending, unix_ms }]].concat())
        }
        Command::Cancel => None,
    }
}

fn never_begun(facts: &Facts) -> bool {
    facts.session.is_none() && facts.begin_intent.is_none() && facts.intent.is_none() && facts.tried.is_empty()
}

/// What a host said, read back from records that could not be kept: it is said again.
pub fn commands_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Command> {
    let said = |record: &Record| match record {
        Record::Wish { wish: Wish::Pause } => Some(Command::Pause),
        Record::Wish { wish: Wish::Run } => Some(Command::Resume),
        Record::Wish { wish: Wish::Cancel } => Some(Command::Cancel),
        Record::Conflict { conflict } => Some(Command::Conflict(conflict.clone())),
        Record::OnChange { on_change } => Some(Command::OnChange(*on_change)),
        Record::Tuned { tuning } => Some(Command::Tune(*tuning)),
        Record::Source { source } => Some(Command::SourceIs(Box::new(source.clone()))),
        _ => None,
    };
    records.into_iter().filter_map(said).collect()
}
