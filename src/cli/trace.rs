//! `seatkey trace ID`: what one request, webhook or job has led to, in the order of time.

use serde_json::json;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description};

use super::{
    Failure,
    output::{print_json_line, print_line},
    serve::{ConfigArgs, connect},
};
use crate::{
    app::{TraceLine, follow_trace},
    store::StoreError,
};

#[derive(Debug, clap::Args)]
pub(super) struct TraceArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// A request id of ours (`x-request-id`), an operation's id, or Microsoft's request or correlation id
    id: String,
    /// JSON lines instead of words
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TraceArgs) -> Result<(), Failure> {
    let (config, _) = args.config.load_with_clock()?;
    super::block_on(async {
        let no = |error: StoreError| Failure::No(error.to_string());
        let store = connect(&config).await?;
        let lines = follow_trace(&store, &args.id).await.map_err(no)?;
        store.close().await;
        if lines.is_empty() {
            return Err(Failure::No(format!(
                "nothing is known of {}; traces are kept for 30 days, and the log has the rest",
                args.id
            )));
        }
        for line in &lines {
            tell(line, args.json)?;
        }
        Ok(())
    })
}

fn tell(line: &TraceLine, json: bool) -> Result<(), Failure> {
    if json {
        return print_json_line(&json!({
            "at": line.at.format(&Rfc3339).unwrap_or_default(), "requestId": line.trace_id, "step": line.kind,
            "name": line.name, "subject": line.subject, "reference": line.reference,
            "otherReference": line.other_reference, "outcome": line.outcome,
        }));
    }
    let mut words = vec![instant(line.at), format!("{:<8}", line.kind), line.name.clone()];
    words.extend(line.outcome.iter().map(|outcome| format!("[{outcome}]")));
    words.extend(line.subject.iter().map(|subject| format!("about {subject}")));
    words.extend(line.reference.iter().chain(&line.other_reference).map(|id| format!("id {id}")));
    words.extend(line.trace_id.iter().map(|id| format!("of {id}")));
    print_line(&words.join("  "));
    Ok(())
}

/// To the millisecond, in UTC.
fn instant(at: OffsetDateTime) -> String {
    let shape = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.to_offset(UtcOffset::UTC).format(&shape).unwrap_or_default()
}
