//! Where a file goes to, and the name by which the same upload is known again.

use std::{
    fs::Metadata,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use partway::{
    error::ErrorInfo,
    hash::{Digester, Wants},
    model::{Conflict, KooDriveEdition, KooDriveTarget, SmhMode, SmhTarget, Target},
};

use crate::{
    args::UploadArgs,
    exit::usage,
    words::{ConflictWord, EditionWord, ModeWord, RenameWord, Service},
};

/// Credentials are told apart by account; the command has one at a time.
const ACCOUNT: &str = "default";
const APP: &str = "app/";

/// The account of an application that acts for a user: its secret is looked up by this.
pub(crate) fn app_account(app_id: &str, user_id: &str) -> String {
    format!("{APP}{app_id}/{user_id}")
}

/// The application and the user of such an account.
pub(crate) fn app_of(account: &str) -> Option<(&str, &str)> {
    account.strip_prefix(APP)?.split_once('/')
}

/// The destination of a file of that name; `several`: the remote path names a directory.
pub(crate) fn target(
    args: &UploadArgs,
    name: Option<&str>,
    file: Option<&Metadata>,
    several: bool,
) -> Result<Target, ErrorInfo> {
    match args.service {
        Service::Smh => smh_target(args, name, file, several),
        Service::Koodrive => koodrive_target(args, name, file, several),
    }
}

fn koodrive_target(
    args: &UploadArgs,
    name: Option<&str>,
    file: Option<&Metadata>,
    several: bool,
) -> Result<Target, ErrorInfo> {
    refuse_smh(args)?;
    let koo = &args.koodrive;
    if several && koo.name.is_some() {
        return Err(usage("--name is for one FILE"));
    }
    let name = koo.name.as_deref().or(name).ok_or_else(|| usage("the FILE's name is no text; give one by --name"))?;
    let account = match (&koo.app_id, &args.user_id) {
        (None, _) => ACCOUNT.to_owned(),
        (Some(app_id), Some(user_id)) => app_account(app_id, user_id),
        (Some(_), None) => return Err(usage("--app-id needs --user-id: the user in whose name the application acts")),
    };
    Ok(Target::KooDrive(KooDriveTarget {
        endpoint: endpoint(&args.endpoint)?,
        account,
        container: koo
            .container
            .clone()
            .filter(|id| !id.is_empty())
            .ok_or_else(|| usage("--container ID is missing"))?,
        parent: koo.parent.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| "root".to_owned()),
        name: name.to_owned(),
        user_id: args.user_id.clone(),
        file_type: koo.file_type,
        shared_folder: koo.shared_folder.clone(),
        language: koo.language.clone(),
        created_unix_ms: file.filter(|_| !args.smh.no_times).and_then(|file| unix_ms(file.created().ok()?)),
        edition: match koo.edition {
            None | Some(EditionWord::Current) => KooDriveEdition::Current,
            Some(EditionWord::International2024) => KooDriveEdition::International2024,
            Some(EditionWord::Carrier) => KooDriveEdition::Carrier,
        },
    }))
}

fn smh_target(
    args: &UploadArgs,
    name: Option<&str>,
    file: Option<&Metadata>,
    several: bool,
) -> Result<Target, ErrorInfo> {
    refuse_koodrive(args)?;
    let smh = &args.smh;
    let times = file.filter(|_| !smh.no_times);
    let path = smh.path.as_deref().ok_or_else(|| usage("--path REMOTE is missing"))?;
    Ok(Target::Smh(SmhTarget {
        endpoint: endpoint(&args.endpoint)?,
        account: ACCOUNT.to_owned(),
        library: smh.library.clone().filter(|id| !id.is_empty()).ok_or_else(|| usage("--library ID is missing"))?,
        space: smh.space.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| "-".to_owned()),
        path: remote_path(path, name, several)?,
        mode: match smh.mode {
            None | Some(ModeWord::Auto) => SmhMode::Auto,
            Some(ModeWord::Simple) => SmhMode::Simple,
            Some(ModeWord::Form) => SmhMode::Form,
            Some(ModeWord::Multipart) => SmhMode::Multipart,
        },
        user_id: args.user_id.clone(),
        create_parents: !smh.no_create_parents,
        meta: smh.meta.iter().map(|pair| meta(pair)).collect::<Result<_, _>>()?,
        labels: smh.label.clone(),
        category: smh.category.clone(),
        created_unix_ms: times.and_then(|file| unix_ms(file.created().ok()?)),
        modified_unix_ms: times.and_then(|file| unix_ms(file.modified().ok()?)),
        traffic_limit_bytes_per_s: smh.traffic_limit,
        prefer_same_origin: smh.prefer_same_origin,
        private: smh.private,
    }))
}

/// What to do when the name is taken.
pub(crate) fn conflict(args: &UploadArgs) -> Result<Conflict, ErrorInfo> {
    if args.service == Service::Koodrive {
        return Ok(match args.koodrive.rename.unwrap_or(RenameWord::Force) {
            RenameWord::Force => Conflict::Rename,
            RenameWord::Refuse => Conflict::Refuse,
            RenameWord::Auto => Conflict::KeepIfSame,
        });
    }
    match (args.smh.conflict.unwrap_or(ConflictWord::Rename), &args.smh.content_cas) {
        (ConflictWord::Overwrite, tag) => Ok(Conflict::Overwrite { if_version: tag.clone() }),
        (_, Some(_)) => Err(usage("--content-cas needs --conflict overwrite")),
        (ConflictWord::Ask, None) => Ok(Conflict::Ask),
        (ConflictWord::Rename, None) => Ok(Conflict::Rename),
    }
}

/// The same service, endpoint, destination and source make the same upload, whatever else is asked for.
pub(crate) fn key(target: &Target, source: &Path) -> Result<String, ErrorInfo> {
    let mut fields: Vec<&[u8]> = vec![target.service().name().as_bytes()];
    match target {
        Target::Smh(smh) => {
            fields.extend([&smh.endpoint, &smh.library, &smh.space, &smh.path].map(|text| text.as_bytes()))
        }
        Target::KooDrive(koo) => {
            fields.extend([&koo.endpoint, &koo.container, &koo.parent, &koo.name].map(|text| text.as_bytes()));
            fields.extend(koo.shared_folder.iter().map(|text| text.as_bytes()));
        }
    }
    fields.push(source.as_os_str().as_encoded_bytes());
    let mut digester = Digester::new(Wants { sha256: true, ..Wants::default() })?;
    for field in fields {
        // With its length first, no two lists of fields read the same.
        digester.update(&(field.len() as u64).to_le_bytes());
        digester.update(field);
    }
    Ok(format!("cli-{}", digester.finish().sha256.unwrap_or_default()))
}

fn refuse_smh(args: &UploadArgs) -> Result<(), ErrorInfo> {
    let smh = &args.smh;
    let given = [
        ("--library", smh.library.is_some()),
        ("--space", smh.space.is_some()),
        ("--path", smh.path.is_some()),
        ("--conflict", smh.conflict.is_some()),
        ("--mode", smh.mode.is_some()),
        ("--traffic-limit", smh.traffic_limit.is_some()),
        ("--prefer-same-origin", smh.prefer_same_origin),
        ("--meta", !smh.meta.is_empty()),
        ("--label", !smh.label.is_empty()),
        ("--category", smh.category.is_some()),
        ("--content-cas", smh.content_cas.is_some()),
        ("--private", smh.private),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(usage(format!("{option} is for --service smh"))),
        None => Ok(()),
    }
}

fn refuse_koodrive(args: &UploadArgs) -> Result<(), ErrorInfo> {
    let koo = &args.koodrive;
    let given = [
        ("--container", koo.container.is_some()),
        ("--parent", koo.parent.is_some()),
        ("--name", koo.name.is_some()),
        ("--rename", koo.rename.is_some()),
        ("--file-type", koo.file_type.is_some()),
        ("--shared-folder", koo.shared_folder.is_some()),
        ("--language", koo.language.is_some()),
        ("--edition", koo.edition.is_some()),
        ("--app-id", koo.app_id.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(usage(format!("{option} is for --service koodrive"))),
        None => Ok(()),
    }
}

fn endpoint(text: &str) -> Result<String, ErrorInfo> {
    let trimmed = text.trim_end_matches('/');
    let authority = ["https://", "http://"].iter().find_map(|scheme| trimmed.strip_prefix(scheme));
    let plain = |authority: &str| {
        !authority.is_empty()
            && !authority.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#@\\".contains(c))
    };
    match authority {
        Some(authority) if plain(authority) => Ok(trimmed.to_owned()),
        _ => Err(usage("--endpoint is https://host[:port], or http:// for an emulator")),
    }
}

fn remote_path(path: &str, name: Option<&str>, several: bool) -> Result<String, ErrorInfo> {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if several || path.ends_with('/') || segments.is_empty() {
        segments.push(
            name.ok_or_else(|| usage("a FILE's name is no text that could be its remote name; give it by --path"))?,
        );
    }
    Ok(segments.join("/"))
}

fn meta(pair: &str) -> Result<(String, String), ErrorInfo> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(usage("--meta is K=V")),
    }
}

fn unix_ms(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).ok(),
        Err(before) => i64::try_from(before.duration().as_millis()).ok().map(|ms| -ms),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Command, Verb};

    fn args(extra: &str) -> UploadArgs {
        let line = format!("partway upload f --service smh --endpoint https://h/ --library L {extra}");
        match Command::try_parse_from(line.split_whitespace()).expect("an upload").verb {
            Verb::Upload(args) => *args,
            _ => panic!("not an upload"),
        }
    }

    fn built(extra: &str) -> Result<SmhTarget, ErrorInfo> {
        match target(&args(extra), Some("f.bin"), None, false)? {
            Target::Smh(smh) => Ok(smh),
            Target::KooDrive(_) => panic!("another service"),
        }
    }

    #[test]
    fn a_target() {
        let smh =
            built("--path /a//b --meta k=v=w --label x --label y --private --no-create-parents").expect("a target");
        assert_eq!((smh.endpoint.as_str(), smh.space.as_str(), smh.path.as_str()), ("https://h", "-", "a/b"));
        assert_eq!(smh.meta.get("k").map(String::as_str), Some("v=w"));
        assert_eq!((smh.labels.len(), smh.private, smh.create_parents), (2, true, false));
        assert!(built("--path a").is_ok_and(|smh| smh.create_parents && smh.account == "default"));
    }

    #[test]
    fn refusals() {
        for (extra, word) in [
            ("", "--path"),
            ("--path a --meta nothing", "K=V"),
            ("--path a --container C", "koodrive"),
            ("--path a --app-id C", "koodrive"),
        ] {
            let error = built(extra).expect_err(extra);
            assert!(error.detail.contains(word), "{extra}: {}", error.detail);
        }
        for bad in ["", "h", "ftp://h", "https://", "https://u@h", "https://h/path", "https://h?x", "https://a b"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_directory_takes_the_name_of_the_file() {
        let at = |path: &str, several| remote_path(path, Some("f"), several).expect("a path");
        assert_eq!(
            (at("a/b", false), at("a/b", true), at("a/b/", false)),
            ("a/b".into(), "a/b/f".into(), "a/b/f".into())
        );
        assert_eq!((at("/", false), at("", true)), ("f".into(), "f".into()));
        assert!(remote_path("a/", None, false).is_err() && remote_path("a", None, false).is_ok());
    }

    #[test]
    fn conflicts() {
        assert_eq!(conflict(&args("")), Ok(Conflict::Rename));
        assert_eq!(conflict(&args("--conflict ask")), Ok(Conflict::Ask));
        let tagged = Conflict::Overwrite { if_version: Some("t".to_owned()) };
        assert_eq!(conflict(&args("--conflict overwrite --content-cas t")), Ok(tagged));
        assert!(conflict(&args("--content-cas t")).is_err());
    }

    #[test]
    fn a_key_is_the_place_and_the_source_and_nothing_else() {
        let key_of = |extra: &str, source: &str| {
            let target = target(&args(extra), Some("f.bin"), None, false).expect("a target");
            key(&target, Path::new(source)).expect("a key")
        };
        let first = key_of("--path a/b", "/f");
        assert_eq!(first.len(), 4 + 64);
        assert_eq!(
            first,
            key_of("--path a//b --conflict ask --parallel 9 --limit-rate 1 --meta a=b --instant off", "/f")
        );
        let others = [
            key_of("--path a/c", "/f"),
            key_of("--path a/b --space s", "/f"),
            key_of("--path a/b", "/g"),
            key_of("--path a", "b/f"),
            key_of("--path b --space a", "/f"),
        ];
        assert!(others.iter().all(|other| *other != first));
        let shared = |folder: Option<&str>| {
            let koo =
                KooDriveTarget { name: "n".into(), shared_folder: folder.map(str::to_owned), ..Default::default() };
            key(&Target::KooDrive(koo), Path::new("/f")).expect("a key")
        };
        assert!(shared(None) != shared(Some("a")) && shared(Some("a")) != shared(Some("b")));
    }
}
