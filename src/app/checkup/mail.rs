//! The mail server.

use super::{Check, Mend, Round, Verdict, Whose};
use crate::mail::{MailTrouble, Mailer};

/// The server lets us in.
pub static SERVER: Check = Check {
    id: "mail.server",
    is_well_when: "the mail server answers, is trusted (STARTTLS or TLS), and takes user and password",
    needs: &["mail.settings"],
    mends: &[&UNREACHABLE, &NO_TLS, &UNTRUSTED, &SIGN_IN],
};

/// The server takes mail of our sender.
pub static SENDER: Check = Check {
    id: "mail.sender",
    is_well_when: "the mail server takes mail from the mailbox of [mail] from",
    needs: &["mail.server"],
    mends: &[&REFUSED],
};

static UNREACHABLE: Mend = Mend {
    whose: Whose::Network,
    does: "Let this machine reach the host and port of [mail] url, or correct them: 587 for smtp://, 465 for smtps://.",
};
static NO_TLS: Mend = Mend {
    whose: Whose::Mail,
    does: "Switch STARTTLS on at the mail server, or write smtps:// if it speaks TLS from the first byte.",
};
static UNTRUSTED: Mend = Mend {
    whose: Whose::Mail,
    does: "Give the mail server a certificate for the name in [mail] url, or name the CA that signed it in [mail] ca_file.",
};
static SIGN_IN: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct user and password in [mail] url; characters like @ / : in them are written as %40 %2F %3A.",
};
static REFUSED: Mend = Mend {
    whose: Whose::Mail,
    does: "Allow this user to send as the mailbox of [mail] from, or name one in [mail] from that it may send as.",
};

/// Makes these checks.
pub async fn look(round: &mut Round<'_>, mailer: &Mailer) {
    round.look(&SERVER, server(mailer)).await;
    round.look(&SENDER, sender(mailer)).await;
}

async fn server(mailer: &Mailer) -> Verdict {
    match mailer.try_server().await {
        Ok(()) => Verdict::well("it lets us in"),
        Err(trouble) => Verdict::Wrong(mend_of(&trouble), trouble.to_string()),
    }
}

async fn sender(mailer: &Mailer) -> Verdict {
    match mailer.try_sender().await {
        Ok(()) => Verdict::well("the sender is taken; no mail was sent"),
        Err(trouble) => Verdict::Wrong(mend_of(&trouble), trouble.to_string()),
    }
}

fn mend_of(trouble: &MailTrouble) -> &'static Mend {
    match trouble {
        MailTrouble::Unreachable(_) => &UNREACHABLE,
        MailTrouble::NoStartTls => &NO_TLS,
        MailTrouble::Untrusted(_) => &UNTRUSTED,
        MailTrouble::SignIn(_) => &SIGN_IN,
        MailTrouble::Sender(_) => &REFUSED,
    }
}
