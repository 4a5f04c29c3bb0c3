//! The credential: from the environment or from a command. It is never an argument, never printed.

use std::{env, sync::Arc, thread, time::Duration};

use partway::{
    client::{Credential, CredentialAsk, CredentialProvider, Why},
    error::ErrorInfo,
    redact::Secret,
};

use crate::{exit::usage, shell, target::app_of};

const VARIABLE: &str = "PARTWAY_TOKEN";
const APP_SECRET: &str = "PARTWAY_APP_SECRET";
/// The library waits as long for an answer.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Who answers when the library needs a credential.
#[derive(Clone)]
pub(crate) enum Tokens {
    /// PARTWAY_TOKEN, once: refused, there is no other.
    Fixed(Secret),
    /// The output of a command, each time anew.
    Command(String),
    /// Nobody.
    None,
}

impl Tokens {
    /// As the command line and the environment say; a command goes first.
    pub(crate) fn find(command: Option<&str>) -> Tokens {
        match (command, env::var(VARIABLE)) {
            (Some(command), _) => Tokens::Command(command.to_owned()),
            (None, Ok(token)) if !token.trim().is_empty() => Tokens::Fixed(Secret::new(token.trim())),
            (None, _) => Tokens::None,
        }
    }

    /// The same, for verbs that can't do without; `app`: the credential is an application's key.
    pub(crate) fn need(command: Option<&str>, app: bool) -> Result<Tokens, ErrorInfo> {
        match Tokens::find(command) {
            tokens if app => match app_secret() {
                Some(_) => Ok(tokens),
                None => Err(usage(format!("no credential: the application's secret comes from {APP_SECRET}"))),
            },
            Tokens::None => {
                Err(usage(format!("no credential: set {VARIABLE}, or give --token-command CMD whose output is it")))
            }
            tokens => Ok(tokens),
        }
    }

    /// As the library wants it.
    pub(crate) fn provider(self) -> Arc<dyn CredentialProvider> {
        Arc::new(self)
    }
}

impl CredentialProvider for Tokens {
    fn provide(&self, ask: CredentialAsk) {
        if let Some((app_id, user_id)) = app_of(ask.account()) {
            let key = app_key(app_id, user_id).filter(|_| ask.why() == Why::First);
            return match key {
                Some(key) => ask.supply(key),
                None => ask.later(None),
            };
        }
        match (self, ask.why()) {
            (Tokens::Fixed(token), Why::First) => ask.supply(Credential::token(token.clone())),
            (Tokens::Fixed(_), Why::Refused | Why::Expiring) | (Tokens::None, _) => ask.later(None),
            (Tokens::Command(command), _) => {
                // A command may take its time: it must not hold up other news.
                let command = command.clone();
                let run = thread::Builder::new().name("token".to_owned());
                let answer = move || match output_of(&command) {
                    Ok(token) => ask.supply(Credential::token(token)),
                    Err(why) => {
                        crate::output::note(&format!("--token-command {why}"));
                        ask.later(None);
                    }
                };
                // A thread that can't be made drops the ask, which counts as "later".
                drop(run.spawn(answer));
            }
        }
    }
}

fn app_secret() -> Option<Secret> {
    env::var(APP_SECRET).ok().filter(|secret| !secret.is_empty()).map(Secret::new)
}

/// The application's own credential; its secret comes from the environment alone.
fn app_key(app_id: &str, user_id: &str) -> Option<Credential> {
    let app_secret = app_secret()?;
    Some(Credential::AppKey { app_id: app_id.to_owned(), app_secret, user_id: user_id.to_owned() })
}

fn output_of(command: &str) -> Result<Secret, String> {
    let output = shell::output_of(command, TIME_MAX)?;
    let text = String::from_utf8(output).map_err(|_| "printed something that is not text".to_owned())?;
    match text.trim() {
        "" => Err("printed nothing".to_owned()),
        token => Ok(Secret::new(token)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_answers() {
        assert_eq!(output_of("printf ' abc \\n\\n'").map(|token| token.expose().to_owned()), Ok("abc".to_owned()));
        assert_eq!(output_of("true"), Err("printed nothing".to_owned()));
        assert!(
            output_of("echo canary; exit 3").is_err_and(|why| why.starts_with("failed") && !why.contains("canary"))
        );
    }
}
