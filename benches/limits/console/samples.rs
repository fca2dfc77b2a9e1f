//! What is asked about: ids, places in lists and words of the loaded installation, spread evenly over its three years.

use super::installation::Installation;

/// So many of each kind.
const EACH: u64 = 40;

/// Texts for addresses.
pub(super) struct Samples {
    /// Subscriptions.
    pub(super) subscriptions: Vec<String>,
    /// Those with everything that a page shows; the first one has much more of it.
    pub(super) sampled: Vec<String>,
    /// Tenants, among them resellers with ten thousands of subscriptions.
    pub(super) tenants: Vec<String>,
    /// Charges that a person decides about.
    pub(super) decisions: Vec<String>,
    /// Mails.
    pub(super) mails: Vec<String>,
    /// Trials.
    pub(super) trials: Vec<String>,
    /// Places in lists by (time, id).
    pub(super) times: Vec<String>,
    /// Places in lists by id.
    pub(super) ids: Vec<String>,
    /// First words of organisations.
    pub(super) brands: Vec<String>,
    /// Mailboxes.
    pub(super) emails: Vec<String>,
    /// License ids.
    pub(super) licenses: Vec<String>,
}

impl Samples {
    pub(super) async fn read(installation: &Installation) -> Self {
        let step = (installation.subscriptions / EACH).max(1);
        let spread =
            |what: &str| format!("SELECT {what} FROM seed WHERE enrolled AND i % {step} = 7 % {step} ORDER BY i");
        let texts = async |sql: String| installation.texts(sql).await;
        Self {
            subscriptions: texts(spread("id::text")).await,
            sampled: texts("SELECT id::text FROM sampled ORDER BY times DESC, i LIMIT 40".to_owned()).await,
            tenants: {
                let mut tenants = texts(spread("tenant::text")).await;
                let resellers = "SELECT reseller::text FROM seed WHERE reseller IS NOT NULL GROUP BY reseller ORDER BY count(*) DESC, 1";
                tenants.extend(texts(format!("{resellers} LIMIT 5")).await);
                tenants
            },
            decisions: texts("SELECT cause FROM finding WHERE kind LIKE 'charge_%' ORDER BY id LIMIT 40".to_owned())
                .await,
            mails: texts(spread("id_at(at + 330000000, i)::text")).await,
            trials: texts("SELECT id::text FROM trial_grant ORDER BY id LIMIT 40".to_owned()).await,
            times: texts(spread("at || '_' || id")).await,
            ids: texts(spread("id_at(at, 0)::text")).await,
            brands: texts(spread("lower(brand)")).await,
            emails: texts(spread("buyer || '@' || mail")).await,
            licenses: texts(spread("md5('license ' || i)::uuid::text")).await,
        }
    }

    /// Three places far apart, for what has many filters.
    pub(super) fn few<'a>(&self, places: &'a [String]) -> Vec<String> {
        places.iter().step_by((places.len() / 3).max(1)).take(3).cloned().collect()
    }
}
