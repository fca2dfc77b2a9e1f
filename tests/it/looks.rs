//! The offer's own face, and texts of one's own without recompiling.

use seatkey::{cli::browser::Browser, startup::StartError};

use crate::support::{Database, Stage, people::ALEX};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_has_its_own_name_colour_logo_and_support() {
    let mut stage = Stage::set(Database::Sqlite).await;
    std::fs::write(stage.file("mark.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
    stage.change_catalog("accent_color = \"#0072c6\"", "accent_color = \"#aa3300\"\nlogo = \"mark.svg\"").await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    let form = stage.configure(&mut alex, id).await;
    for own in ["KONNEKT", "#aa3300", "/assets/logo/konnekt", "support@konnekt.example"] {
        assert!(form.text.replace("&#x2f;", "/").contains(own), "the form does not show {own}");
    }
    let logo = alex.open(stage.url("assets/logo/konnekt")).await.unwrap();
    assert_eq!((logo.status, logo.text.as_str()), (200, "<svg xmlns='http://www.w3.org/2000/svg'/>"));
    assert_eq!(alex.open(stage.url("assets/logo/scepman-ee")).await.unwrap().status, 404);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn templates_are_overridden_from_a_directory_and_broken_ones_refused_by_name() {
    let mut stage = Stage::set(Database::Sqlite).await;
    let directory = stage.file("templates");
    std::fs::create_dir_all(directory.join("mail/en/welcome")).unwrap();
    let subject = directory.join("mail/en/welcome/subject.txt");
    std::fs::write(&subject, "Willkommen bei {{ offer }}").unwrap();
    stage.configure_service(&format!("[templates]\npath = \"{}\"\n", directory.display()));
    stage.restart().await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    assert_eq!(stage.world().mails()[0].subject, "Willkommen bei KONNEKT");

    std::fs::write(&subject, "Willkommen bei {{ offfer }}").unwrap();
    let error = stage.try_build().await.unwrap_err();
    assert!(matches!(error, StartError::Templates(_)));
    assert!(error.to_string().contains("mail/en/welcome/subject.txt"), "{error}");
    stage.finish().await;
}
