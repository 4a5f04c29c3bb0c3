//! What is uploaded, how, and what happens meanwhile.

use partway_sandbox::{ConfirmAgain, Deployment, How, Rule, Service, Step, Switches};

use crate::support::MIB;

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Upload,
    /// `adopt` of what something else began.
    Adopt,
    /// `cancel` of an upload that stands half-way.
    Cancel,
}

/// What the cloud holds before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    Nothing,
    /// The same content under another name.
    Content,
    /// Another content under the same name.
    Name,
}

/// A row of the table.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    pub(crate) verb: Verb,
    pub(crate) bytes: usize,
    /// Pieces that travel on their own, if nothing is recognised.
    pub(crate) parts: usize,
    pub(crate) args: &'static [&'static str],
    pub(crate) before: Before,
    /// No byte of it has to be sent.
    pub(crate) instant: bool,
    /// The service refuses a credential that is good, so that another one is needed.
    pub(crate) refuses: bool,
    pub(crate) switches: fn(&mut Switches),
    pub(crate) rules: fn() -> Vec<Rule>,
}

const PARALLEL: &[&str] = &["--mode", "multipart", "--part-size", "1048576", "--parallel", "3", "--instant", "off"];

impl Case {
    /// Four parts, three at a time, to SMH.
    fn smh(name: &'static str) -> Case {
        Case {
            name,
            service: Service::Smh,
            verb: Verb::Upload,
            bytes: 3 * MIB + 7,
            parts: 4,
            args: PARALLEL,
            before: Before::Nothing,
            instant: false,
            refuses: false,
            switches: |_| {},
            rules: Vec::new,
        }
    }

    /// Three parts to KooDrive, the digest pass ahead of them.
    fn koodrive(name: &'static str) -> Case {
        Case {
            service: Service::Koodrive,
            bytes: 10 * MIB + 7,
            parts: 3,
            args: &["--part-size", "5242880", "--parallel", "3", "--instant", "off"],
            ..Case::smh(name)
        }
    }
}

pub(crate) fn smh_multipart() -> Case {
    Case::smh("smh_multipart")
}

pub(crate) fn smh_simple() -> Case {
    Case { bytes: 300_000, parts: 1, args: &["--mode", "simple", "--instant", "off"], ..Case::smh("smh_simple") }
}

pub(crate) fn smh_form() -> Case {
    Case { bytes: 300_000, parts: 1, args: &["--mode", "form", "--instant", "off"], ..Case::smh("smh_form") }
}

pub(crate) fn smh_instant_hit() -> Case {
    let args = &["--mode", "multipart", "--part-size", "1048576", "--instant", "always"];
    Case { bytes: MIB + 7, args, before: Before::Content, instant: true, ..Case::smh("smh_instant_hit") }
}

pub(crate) fn smh_instant_miss() -> Case {
    let args = &["--mode", "multipart", "--part-size", "1048576", "--parallel", "3", "--instant", "always"];
    Case { args, ..Case::smh("smh_instant_miss") }
}

pub(crate) fn smh_private() -> Case {
    let args = &["--mode", "multipart", "--part-size", "1048576", "--parallel", "3", "--instant", "off", "--private"];
    Case { args, switches: |switches| switches.deployment = Deployment::Private, ..Case::smh("smh_private") }
}

pub(crate) fn smh_name_taken() -> Case {
    Case { before: Before::Name, ..Case::smh("smh_name_taken") }
}

pub(crate) fn smh_links_over() -> Case {
    Case { rules: || vec![Rule::new(Step::Part, How::Expire).part(2).once()], ..Case::smh("smh_links_over") }
}

pub(crate) fn smh_token_refused() -> Case {
    let rules = || vec![Rule::new(Step::Confirm, How::RefuseToken).once()];
    Case { rules, refuses: true, ..Case::smh("smh_token_refused") }
}

pub(crate) fn smh_complete_lost() -> Case {
    Case {
        // A second one is no help.
        switches: |switches| switches.confirm_again = ConfirmAgain::Refuse,
        rules: || vec![Rule::new(Step::Confirm, How::DropAfter).once()],
        ..Case::smh("smh_complete_lost")
    }
}

pub(crate) fn smh_adopt() -> Case {
    Case { verb: Verb::Adopt, ..Case::smh("smh_adopt") }
}

pub(crate) fn smh_cancel() -> Case {
    Case { verb: Verb::Cancel, ..Case::smh("smh_cancel") }
}

pub(crate) fn koodrive_multipart() -> Case {
    Case::koodrive("koodrive_multipart")
}

pub(crate) fn koodrive_instant_hit() -> Case {
    let args = &["--part-size", "5242880", "--instant", "always"];
    Case { bytes: 300_000, args, before: Before::Content, instant: true, ..Case::koodrive("koodrive_instant_hit") }
}

pub(crate) fn koodrive_instant_miss() -> Case {
    let args = &["--part-size", "5242880", "--instant", "always"];
    Case { bytes: 300_000, parts: 1, args, ..Case::koodrive("koodrive_instant_miss") }
}

pub(crate) fn koodrive_complete_lost() -> Case {
    let rules = || vec![Rule::new(Step::Confirm, How::DropAfter).once()];
    Case { bytes: 300_000, parts: 1, rules, ..Case::koodrive("koodrive_complete_lost") }
}
