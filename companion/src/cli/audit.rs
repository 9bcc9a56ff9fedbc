//! `keyback audit`: shows the audit trail, and follows it.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use keyback_core::identifier::Identifier;
use keyback_core::rate_limit::IdentifierHasher;
use keyback_core::time::{Clock as _, SystemClock};

use super::audit_line::{Form, Moment};
use super::{ConfigFile, open, user};
use crate::config::Config;
use crate::secrets::{DerivedKeys, Purpose};
use crate::serve::StopSignals;
use crate::store::Store;
use crate::store::audit_log::{self, About, Filter, Written};
use crate::store::users::User;

/// How often new lines are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// New lines read in one go.
const MOST_AT_ONCE: u32 = 1_000;

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Lines about one account alone: an e-mail address, a phone number, a user name, or the id. An address that no
    /// account has shows what was asked for it
    #[arg(long, value_name = "ACCOUNT")]
    user: Option<String>,
    /// Lines of one event alone, such as `sign_in_failed`; may be given several times
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
    /// From this moment on: 2026-11-27, 2026-11-27T09:30:00Z, or as long ago as 90m, 24h or 7d
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Before this moment, written like --since
    #[arg(long, value_name = "WHEN", conflicts_with = "follow")]
    until: Option<Moment>,
    /// The newest so many lines
    #[arg(long, value_name = "LINES", default_value_t = 100)]
    limit: u32,
    /// A JSON object a line
    #[arg(long)]
    json: bool,
    /// Go on with new lines as they are written, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
}

pub(super) async fn run(args: AuditArgs) -> Result<()> {
    let mut stop = StopSignals::listen()?;
    let (config, store) = open::existing_store(&args.config).await?;
    let now = SystemClock.now();
    let since = args.since.as_ref().map(|moment| moment.before(now));
    let until = args.until.as_ref().map(|moment| moment.before(now));
    if since.zip(until).is_some_and(|(since, until)| since >= until) {
        bail!("no line lies between them: --since must be earlier than --until");
    }
    let about = match &args.user {
        Some(account) => Some(about(&config, &store, account).await?),
        None => None,
    };
    let filter = Filter {
        about,
        events: args.events,
        since,
        until,
    };
    let form = if args.json { Form::Json } else { Form::Table };
    let mut out = io::stdout();
    let shown = show(&store, &filter, args.limit, form, args.follow, &mut out);
    let done = tokio::select! {
        done = shown => done,
        () = stop.received() => Ok(()),
    };
    store.close().await;
    match done {
        // Whoever read it has seen enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done,
    }
}

async fn show(
    store: &Store,
    filter: &Filter,
    limit: u32,
    form: Form,
    follow: bool,
    out: &mut impl Write,
) -> Result<()> {
    // Before the lines are read: what is written in between comes with them, or after them, and is not lost.
    let end = audit_log::last_place(store.reader()).await?;
    let lines = audit_log::newest(store.reader(), filter, limit).await?;
    let mut place = lines.iter().map(|line| line.place).fold(end, i64::max);
    form.head(out)?;
    write(&lines, form, out)?;
    if lines.is_empty() && limit > 0 {
        tell_of_none(store, filter).await?;
    }
    if !follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // The old ones were purged, all of them, and places are given anew.
        place = place.min(audit_log::last_place(store.reader()).await?);
        let lines = audit_log::behind(store.reader(), filter, place, MOST_AT_ONCE).await?;
        place = lines.iter().map(|line| line.place).fold(place, i64::max);
        write(&lines, form, out)?;
    }
}

fn write(lines: &[Written], form: Form, out: &mut impl Write) -> Result<()> {
    for line in lines {
        form.line(line, out)?;
    }
    Ok(out.flush()?)
}

/// A word that was mistyped finds nothing and looks like peace.
async fn tell_of_none(store: &Store, filter: &Filter) -> Result<()> {
    let known = audit_log::events(store.reader()).await?;
    let unknown: Vec<&str> = filter
        .events
        .iter()
        .map(String::as_str)
        .filter(|event| !known.iter().any(|known| known == event))
        .collect();
    if !unknown.is_empty() {
        eprintln!(
            "no line tells of {} so far; there are lines of: {}",
            unknown.join(", "),
            known.join(", ")
        );
    } else if io::stdout().is_terminal() {
        eprintln!("no line is like that");
    }
    Ok(())
}

/// Whom an account's name means: lines name the account where it was known, and else the keyed hash of what was typed.
async fn about(config: &Config, store: &Store, account: &str) -> Result<About> {
    let DerivedKeys { first, older } = config.secrets.root_keys()?.derive(Purpose::Limits);
    let hashers: Vec<_> = [first]
        .into_iter()
        .chain(older)
        .map(|derived| IdentifierHasher::new(&derived.key))
        .collect();
    let found = user::find(config, store, account).await.ok();
    let names = found.as_ref().map_or_else(|| vec![account.to_owned()], names);
    let mut identifiers = Vec::new();
    for hasher in &hashers {
        identifiers.extend(names.iter().map(|name| {
            let hash = match Identifier::parse_in(config.sms.default_region, name) {
                Ok(identifier) => hasher.hash(&identifier),
                Err(_) => hasher.hash_text(name),
            };
            hash.as_str().to_owned()
        }));
    }
    Ok(About {
        subject: found.map_or_else(|| account.to_owned(), |user| user.id),
        identifiers,
    })
}

fn names(user: &User) -> Vec<String> {
    [&user.email, &user.phone, &user.username]
        .into_iter()
        .flatten()
        .cloned()
        .collect()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
