//! Mail over real SMTP: STARTTLS with a CA of one's own, and what a wrong one means.

use seatkey::mail::{Mailer, Outgoing, SendError};

use crate::support::{Database, Stage};

fn outgoing(recipients: &[String]) -> Outgoing<'_> {
    Outgoing {
        message_id: "one@konnekt.example",
        recipients,
        reply_to: "support@konnekt.example",
        subject: "Grüße an Zoë",
        text_body: "Text ü",
        html_body: "<p>Text ü</p>",
        attachments: &[],
        date: time::macros::datetime!(2026-01-15 10:12 UTC),
    }
}

fn mailer(stage: &Stage, ca: Option<&str>) -> Mailer {
    let url = stage.simulator.smtp_url().parse().unwrap();
    Mailer::new(&url, "KONNEKT <licenses@konnekt.example>", ca.map(str::as_bytes)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_ca_of_ones_own_mail_is_encrypted() {
    let stage = Stage::set(Database::Sqlite).await;
    let recipients = ["alex.weber@contoso.example".to_owned()];
    mailer(&stage, Some(stage.simulator.smtp_ca_pem())).send(outgoing(&recipients)).await.unwrap();
    let mail = &stage.world().mails()[0];
    assert!(mail.encrypted);
    assert_eq!((mail.subject.as_str(), mail.header("Message-ID")), ("Grüße an Zoë", Some("<one@konnekt.example>")));
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_another_ca_gets_no_mail() {
    let stage = Stage::set(Database::Sqlite).await;
    let other = Stage::set(Database::Sqlite).await;
    let recipients = ["alex.weber@contoso.example".to_owned()];
    let sent = mailer(&stage, Some(other.simulator.smtp_ca_pem())).send(outgoing(&recipients)).await;
    assert!(matches!(sent, Err(SendError::Unavailable(_))), "{sent:?}");
    assert_eq!(stage.world().mails().len(), 0);
    other.finish().await;
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_cannot_be_smuggled_in() {
    let stage = Stage::set(Database::Sqlite).await;
    let recipients = ["a@b.example\r\nBcc: c@d.example".to_owned()];
    let sent = mailer(&stage, None).send(outgoing(&recipients)).await;
    assert!(matches!(sent, Err(SendError::Unaddressable(_))), "{sent:?}");
    stage.finish().await;
}
