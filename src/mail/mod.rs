//! Mail over SMTP. Owns: addresses, MIME, TLS. Does not own: what a mail says (`pages::mail`) and when it goes (`jobs`).

mod probe;

use std::time::{Duration, SystemTime};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    address::AddressError,
    message::{Attachment as Part, Mailbox, MultiPart, SinglePart, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, TlsParameters},
    },
};
use time::OffsetDateTime;
use url::{Host, Url};

use crate::crash::crash_point;
use probe::{Door, Security};

pub use probe::MailTrouble;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Why the mail transport cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// Not `smtp://host[:port]` or `smtps://…`.
    #[error("mail.url must be smtp://host:port or smtps://host:port")]
    Url,
    /// The sender is no mailbox.
    #[error("mail.from is not a mailbox: {0}")]
    From(#[from] AddressError),
    /// The CA file or the TLS settings do not work.
    #[error("mail.ca_file cannot be used: {0}")]
    Tls(#[from] lettre::transport::smtp::Error),
}

/// Why a mail did not leave.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It cannot be built: an address is no mailbox.
    #[error("the mail cannot be addressed: {0}")]
    Unaddressable(String),
    /// The server says no for good.
    #[error("the mail server refuses: {0}")]
    Refused(String),
    /// The server says not now, or nothing.
    #[error("the mail server did not take it: {0}")]
    Unavailable(String),
}

/// A mail as it is handed over.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The stable Message-ID, without brackets.
    pub message_id: &'a str,
    /// Who gets it.
    pub recipients: &'a [String],
    /// Where answers go.
    pub reply_to: &'a str,
    /// The subject line.
    pub subject: &'a str,
    /// The plain part.
    pub text_body: &'a str,
    /// The HTML part.
    pub html_body: &'a str,
    /// Name and text of attached files.
    pub attachments: &'a [(String, String)],
    /// The `Date` header.
    pub date: OffsetDateTime,
}

/// Sends mail.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    door: Door,
}

/// Whether an address can be written to. One with an umlaut mostly is a slip, and few servers take it (SMTPUTF8): a mail to it
/// would reach none of its recipients.
#[must_use]
pub fn is_mailbox(address: &str) -> bool {
    address.is_ascii() && address.len() <= 254 && address.parse::<lettre::Address>().is_ok()
}

impl Mailer {
    /// A mailer for `smtp://` (STARTTLS required, except on loopback without a CA file) or `smtps://`.
    ///
    /// # Errors
    /// [`MailSetupError`].
    pub fn new(url: &Url, from: &str, ca_pem: Option<&[u8]>) -> Result<Self, MailSetupError> {
        let host = url.host_str().ok_or(MailSetupError::Url)?.to_owned();
        let (security, default_port) = match (url.scheme(), is_loopback(url), ca_pem) {
            ("smtps", _, _) => (Security::Wrapped(tls_parameters(&host, ca_pem)?), 465),
            ("smtp", true, None) => (Security::Plain, 25),
            ("smtp", _, _) => (Security::StartTls(tls_parameters(&host, ca_pem)?), 587),
            _ => return Err(MailSetupError::Url),
        };
        let port = url.port().unwrap_or(default_port);
        let credentials =
            url.password().map(|password| Credentials::new(url.username().to_owned(), password.to_owned()));
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.clone())
            .port(port)
            .tls((&security).into())
            .timeout(Some(TIMEOUT));
        if let Some(credentials) = &credentials {
            builder = builder.credentials(credentials.clone());
        }
        let door = Door { host, port, security, credentials };
        Ok(Self { transport: builder.build(), from: from.parse()?, door })
    }

    /// Hands a mail to the server.
    ///
    /// # Errors
    /// [`SendError`]; after [`SendError::Unavailable`] it may have been taken.
    pub async fn send(&self, mail: Outgoing<'_>) -> Result<(), SendError> {
        let message = self.message(mail).map_err(|error| SendError::Unaddressable(error.to_string()))?;
        crash_point("before a mail");
        let sent = self.transport.send(message).await;
        crash_point("after a mail");
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SendError::Refused(error.to_string())),
            Err(error) => Err(SendError::Unavailable(error.to_string())),
        }
    }

    fn message(&self, mail: Outgoing<'_>) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
        let seconds = u64::try_from(mail.date.unix_timestamp())?;
        let mut builder = Message::builder()
            .from(self.from.clone())
            .reply_to(mail.reply_to.parse()?)
            .message_id(Some(format!("<{}>", mail.message_id)))
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .subject(mail.subject);
        for recipient in mail.recipients {
            builder = builder.to(recipient.parse()?);
        }
        let alternative = MultiPart::alternative_plain_html(String::from(mail.text_body), String::from(mail.html_body));
        let mut body = MultiPart::mixed().multipart(alternative);
        for (name, text) in mail.attachments {
            let part: SinglePart = Part::new(name.clone()).body(text.clone(), ContentType::TEXT_PLAIN);
            body = body.singlepart(part);
        }
        Ok(builder.multipart(body)?)
    }
}

fn tls_parameters(host: &str, ca_pem: Option<&[u8]>) -> Result<TlsParameters, MailSetupError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca_pem {
        builder = builder.add_root_certificate(Certificate::from_pem(pem)?);
    }
    Ok(builder.build()?)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // Mail addresses use a scheme that `url` does not know, so hosts stay text.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls_of(url: &str, ca: Option<&[u8]>) -> Result<Mailer, MailSetupError> {
        Mailer::new(&url.parse().unwrap(), "Seatkey <noreply@seatkey.example>", ca)
    }

    // The transport's pool wants a runtime.
    #[tokio::test]
    async fn only_loopback_may_do_without_tls() {
        assert!(is_loopback(&"smtp://127.0.0.1:2525".parse().unwrap()));
        assert!(is_loopback(&"smtp://localhost".parse().unwrap()));
        assert!(!is_loopback(&"smtp://mail.example".parse().unwrap()));
        assert!(tls_of("smtp://mail.example", None).is_ok());
        assert!(matches!(tls_of("http://mail.example", None), Err(MailSetupError::Url)));
    }

    #[test]
    fn mailboxes_are_told_from_other_texts() {
        let plain = [("a@b.example", true), ("a b@c", false), ("", false), ("a@b\r\nBcc: c@d", false)];
        let others = [("jörg@b.example", false), ("a@bär.example", false), ("a@xn--br-via.example", true)];
        for (address, expected) in plain.into_iter().chain(others) {
            assert_eq!(is_mailbox(address), expected, "{address:?}");
        }
    }
}
