//! The simulator's own pages.

use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};

use super::{exchange::Reply, terms, world::World};

/// Everything that the pages may load: their own style and nothing else. Forms post to the simulator; a redirect from
/// there to the publisher's software has to stay possible, hence no `form-action`.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; \
                      frame-ancestors 'self'; base-uri 'none'";

const TEMPLATES: [(&str, &str); 12] = [
    ("base.html", include_str!("pages/base.html")),
    ("start.html", include_str!("pages/start.html")),
    ("sign-in.html", include_str!("pages/sign-in.html")),
    ("sign-in-error.html", include_str!("pages/sign-in-error.html")),
    ("signed-out.html", include_str!("pages/signed-out.html")),
    ("people.html", include_str!("pages/people.html")),
    ("offers.html", include_str!("pages/offers.html")),
    ("subscription.html", include_str!("pages/subscription.html")),
    ("invoice.html", include_str!("pages/invoice.html")),
    ("problem.html", include_str!("pages/problem.html")),
    ("mailbox.html", include_str!("pages/mailbox.html")),
    ("mail.html", include_str!("pages/mail.html")),
];

/// The compiled templates.
pub(super) struct Pages(Environment<'static>);

impl Pages {
    pub(super) fn load() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }
}

impl World {
    /// A page, with the clock's time in its frame.
    pub(super) fn page(&self, status: u16, name: &str, mut details: Value) -> Reply {
        if let Some(fields) = details.as_object_mut() {
            fields.insert("now".to_owned(), json!(terms::readable(self.now())));
        }
        let details = minijinja::Value::from(minijinja::value::Serde(details));
        let rendered = self.0.pages.0.get_template(name).and_then(|page| page.render(details));
        match rendered {
            Ok(page) => Reply::html(status, page).header("content-security-policy", POLICY),
            Err(error) => Reply::text(500, &error.to_string()),
        }
    }

    /// A page that says what is wrong.
    pub(super) fn problem(&self, status: u16, message: &str) -> Reply {
        self.page(status, "problem.html", json!({"title": "That did not work", "message": message}))
    }
}

/// Browsers ask for it on every page.
pub(super) fn icon() -> Reply {
    Reply::bytes(200, "image/svg+xml", include_bytes!("pages/icon.svg").to_vec())
}

pub(super) fn style() -> Reply {
    Reply::bytes(200, "text/css; charset=utf-8", include_bytes!("pages/style.css").to_vec())
}
