//! The job that hands a mail to the mail server. A second copy leaves only when the process dies between the server's
//! acceptance and our commit; it has the same Message-ID.

use tracing::{Instrument as _, field::Empty};
use uuid::Uuid;

use super::{App, AppError, Step};
use crate::{
    mail::Outgoing,
    store::{Lease, MailState},
    trace::SPANS,
};

/// Sends a mail that has not been sent yet; the lease ends together with its effect.
///
/// # Errors
/// [`AppError::Mail`] when the server did not take it.
pub async fn send_mail(app: &App, lease: Lease, mail_id: Uuid) -> Result<Step, AppError> {
    let mail = app.store.find_mail(mail_id).await?.filter(|mail| mail.state == MailState::Queued);
    let Some(mail) = mail else { return Ok(Step::Done) };
    let content = &mail.content;
    let attachments: Vec<(String, String)> =
        content.attachments.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    let outgoing = Outgoing {
        message_id: &content.message_id,
        recipients: &content.recipients,
        reply_to: &content.reply_to,
        subject: &content.subject,
        text_body: &content.text_body,
        html_body: &content.html_body,
        attachments: &attachments,
        date: mail.created_at,
    };
    let seen = tracing::info_span!(
        target: SPANS,
        "mail",
        otel.name = "hand over a mail",
        otel.kind = "client",
        otel.status_code = Empty,
        seatkey.mail = %mail_id,
    );
    let sent = app.mailer.send(outgoing).instrument(seen.clone()).await;
    if sent.is_err() {
        seen.record("otel.status_code", "ERROR");
    }
    drop(seen);
    let tx = app.store.begin().await?;
    match sent {
        Ok(()) => {
            tx.record_mail_sent(mail_id, app.clock.now()).await?;
            tx.finish_job(lease).await?;
            tx.commit().await?;
            app.meters.mail("sent");
            Ok(Step::Done)
        }
        Err(error) => {
            tx.record_mail_refused(mail_id, &error.to_string()).await?;
            tx.commit().await?;
            app.meters.mail("refused");
            Err(error.into())
        }
    }
}
