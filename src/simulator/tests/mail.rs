use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Attachment as Enclosed, MultiPart, header::ContentType},
    transport::smtp::client::{Certificate, Tls, TlsParameters},
};
use serde_json::json;

use super::*;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(stage: &Stage, encrypted: bool) -> Transport {
    let port = stage.simulator.smtp_url().rsplit(':').next().unwrap().parse().unwrap();
    let builder = Transport::builder_dangerous("127.0.0.1").port(port);
    if !encrypted {
        return builder.build();
    }
    let authority = Certificate::from_pem(stage.simulator.smtp_ca_pem().as_bytes()).unwrap();
    let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(authority).build().unwrap();
    builder.tls(Tls::Required(tls)).build()
}

fn message() -> Message {
    let parts = MultiPart::alternative_plain_html(
        String::from("Grüße\r\n.\r\nEnde\r\n"),
        String::from("<p>Grüße<script>1</script></p>"),
    );
    let key = Enclosed::new("Schlüssel.key".to_owned()).body("abc".to_owned(), ContentType::TEXT_PLAIN);
    Message::builder()
        .from("Seatkey <no-reply@seatkey.example>".parse().unwrap())
        .to("alex.weber@contoso.example".parse().unwrap())
        .subject("Ihr Schlüssel für KONNEKT, mit einem ziemlich langen Betreff, der umbrochen wird")
        .multipart(MultiPart::mixed().multipart(parts).singlepart(key))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_arrives_with_and_without_encryption() {
    let stage = Stage::set().await;
    for encrypted in [false, true] {
        transport(&stage, encrypted).send(message()).await.unwrap();
    }
    let mails = stage.world().mails();
    assert_eq!(mails.iter().map(|mail| mail.encrypted).collect::<Vec<_>>(), [false, true]);
    for mail in &mails {
        assert_eq!(mail.subject, "Ihr Schlüssel für KONNEKT, mit einem ziemlich langen Betreff, der umbrochen wird");
        assert_eq!(mail.recipients, ["alex.weber@contoso.example"]);
        assert_eq!(mail.text.as_deref(), Some("Grüße\r\n.\r\nEnde\r\n"));
        assert_eq!(mail.attachments[0].name, "Schlüssel.key");
        assert_eq!(mail.attachments[0].content, b"abc");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_server_refuses_and_breaks_on_request() {
    let stage = Stage::set().await;
    let set = |action: Value| stage.control("faults", json!({"path": "smtp", "action": action}));
    set(json!({"status": 451, "body": "greylisted"})).await;
    let refused = transport(&stage, false).send(message()).await.unwrap_err();
    assert!(refused.is_transient() && refused.to_string().contains("greylisted"), "{refused}");
    stage.world().clear_faults();
    set(json!({"cut": true})).await;
    assert!(transport(&stage, true).send(message()).await.is_err());
    assert_eq!(stage.world().mails().len(), 0);
    stage.world().clear_faults();
    set(json!({"loseAnswer": true})).await;
    assert!(transport(&stage, false).send(message()).await.is_err());
    assert_eq!(stage.world().mails().len(), 1);
    transport(&stage, false).send(message()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailbox_shows_a_mail_without_running_it() {
    let stage = Stage::set().await;
    transport(&stage, false).send(message()).await.unwrap();
    let page = |path: &str| {
        let request = stage.http.get(stage.url(path));
        async { request.send().await.unwrap() }
    };
    assert!(page("/mailbox?to=alex.weber@contoso.example").await.text().await.unwrap().contains("/mailbox/1"));
    let mail = page("/mailbox/1").await.text().await.unwrap();
    assert!(mail.contains("<iframe sandbox") && !mail.contains("<script>"), "{mail}");
    let html = page("/mailbox/1/html").await;
    assert!(html.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert_eq!(page("/mailbox/1/attachments/0").await.text().await.unwrap(), "abc");
    assert!(page("/mailbox/1/raw").await.text().await.unwrap().contains("MIME-Version"));
    let listed: Value = page("/control/mails").await.json().await.unwrap();
    assert_eq!(listed[0]["attachments"][0]["size"], 3);
    let one: Value = page("/control/mails/1").await.json().await.unwrap();
    assert_eq!(one["attachments"][0]["content"], "YWJj");
    stage.http.delete(stage.url("/control/mails")).send().await.unwrap();
    assert_eq!(page("/mailbox/1").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_too_large_is_refused_for_good() {
    let stage = Stage::set().await;
    let large = |megabytes: usize| {
        let builder = Message::builder().from("a@seatkey.example".parse().unwrap());
        let line = format!("{}\r\n", "x".repeat(70));
        builder.to("b@seatkey.example".parse().unwrap()).body(line.repeat((megabytes << 20) / line.len())).unwrap()
    };
    assert!(transport(&stage, false).send(large(11)).await.unwrap_err().is_permanent());
    transport(&stage, false).send(large(9)).await.unwrap();
    assert_eq!(stage.world().mails().len(), 1);
}
