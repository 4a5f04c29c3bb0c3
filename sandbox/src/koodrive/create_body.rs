//! The body of create (koodrive §3.1).

use super::fields::{Fields, missing};
use super::names::{self, Rename};
use super::parts;
use super::refusal::Refusal;
use super::switches::{KoodriveSwitches, TimeForm};
use super::upload::Planned;

const LENGTH_MAX: u64 = 200 << 30;
const DESCRIPTION_CHARS_MAX: usize = 512;

/// What create asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) container: Option<String>,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) file_type: String,
    pub(crate) mime_type: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) created_time: Option<String>,
    pub(crate) length: u64,
    pub(crate) sha256: Option<String>,
    pub(crate) pre_hash: Option<String>,
    pub(crate) proof_code: Option<String>,
    pub(crate) rename: Rename,
    pub(crate) parts: Vec<Planned>,
}

impl Wanted {
    pub(crate) fn read(fields: &Fields, switches: &KoodriveSwitches) -> Result<Self, Refusal> {
        let name = fields.text("fileName")?.ok_or_else(|| missing("fileName"))?;
        names::check(&name, switches.name_chars_max)?;
        let parent = fields.list("parentFolder")?.and_then(|list| list.first()).and_then(|id| id.as_str());
        let parent = parent.ok_or_else(|| missing("parentFolder"))?.to_owned();
        let length = fields.some_number("length")?;
        if length > LENGTH_MAX {
            return Err(Refusal::param("`length` is more than 200 GB"));
        }
        if fields.some_text("uploadMode")? != "multipart" {
            return Err(Refusal::param("`uploadMode` is not multipart"));
        }
        if fields.some_number("uploadType")? != 1 {
            return Err(Refusal::param("`uploadType` is not 1"));
        }
        let rename = match fields.some_number("autoRename")? {
            2 => Rename::Force,
            3 => Rename::Refuse,
            4 => Rename::Auto,
            _ => return Err(Refusal::param("`autoRename` is not 2, 3 or 4")),
        };
        let description = fields.text("description")?;
        if description.as_ref().is_some_and(|d| d.chars().count() > DESCRIPTION_CHARS_MAX) {
            return Err(Refusal::param("`description` has more than 512 characters"));
        }
        let created_time = fields.text("createdTime")?;
        if created_time.as_ref().is_some_and(|time| !is_time(time, switches.time_form)) {
            return Err(Refusal::param("`createdTime` is not as it is written here"));
        }
        fields.flag("hidden")?;
        let parts = match fields.list("multiParts")? {
            Some(list) => parts::read(list, switches)?,
            None => Vec::new(),
        };
        Ok(Self {
            container: fields.text("containerId")?,
            parent,
            name,
            file_type: fields.some_text("fileType")?,
            mime_type: fields.text("mimeType")?,
            description,
            created_time,
            length,
            sha256: fields.digest("sha256")?,
            pre_hash: fields.digest("preHash")?,
            proof_code: fields.digest("proofCode")?,
            rename,
            parts,
        })
    }
}

/// `2023-08-18T05:43:49Z`, or the carrier edition's `2023-08-18 05:43:49`.
fn is_time(text: &str, form: TimeForm) -> bool {
    let like = |form: &[u8]| {
        let same = |(c, like): (u8, &u8)| if *like == b'0' { c.is_ascii_digit() } else { c == *like };
        text.len() == form.len() && text.bytes().zip(form).all(same)
    };
    form != TimeForm::Blank && like(b"0000-00-00T00:00:00Z") || form != TimeForm::Iso && like(b"0000-00-00 00:00:00")
}
