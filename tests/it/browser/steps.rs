//! The steps of the purchase, as a person takes them in the browser.

use uuid::Uuid;

use super::chrome::Chrome;
use crate::support::{Stage, people::ALEX};

const OFFER: &str = "form:has(input[name=offer][value=konnekt])";

impl Chrome {
    /// Alex subscribes to KONNEKT in the portal.
    pub(super) async fn subscribe(&mut self, stage: &Stage) -> Uuid {
        let portal = stage.simulator.base_url().join("portal").unwrap();
        self.open(&portal).await;
        self.click(&format!("a[href$='{ALEX}']")).await;
        self.write(&format!("{OFFER} input[name=name]"), "konnekt-prod").await;
        self.click(&format!("{OFFER} .row button")).await;
        self.read("h1", "konnekt-prod").await;
        self.path().await.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// "Configure account now", as far as Microsoft's account picker.
    pub(super) async fn configure(&mut self) {
        self.click("a[href$='/configure']").await;
        self.read("main", "Pick an account").await;
    }

    pub(super) async fn pick(&mut self, person: &str) {
        self.click(&format!("button[value='{person}']")).await;
    }

    /// From the portal to the form.
    pub(super) async fn arrive(&mut self, stage: &Stage) -> Uuid {
        let id = self.subscribe(stage).await;
        self.configure().await;
        self.pick(ALEX).await;
        self.see("#users").await;
        id
    }

    /// Everything but the number of users.
    pub(super) async fn fill_in_contacts(&self) {
        self.write("#organisation", "Contoso GmbH").await;
        self.write("#technical_contact", "jo.brandt@contoso.example").await;
        self.write("#email", "alex.weber@contoso.example").await;
    }
}
