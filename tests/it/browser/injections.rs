//! The vectors of `injections` in a real browser, without the content security policy that would stop most of them: what
//! is left is whether they are texts.

use serde_json::json;

use super::chrome::{Chrome, Window};
use crate::{
    injections::{VECTORS, infested},
    support::{people::ALEX, staff::ADA},
};

/// Shows each text in a frame of its own, so that all of its scripts, handlers and addresses may run; then counts what did,
/// and what a page of ours never has.
const SHOW: &str = r"
const [paths, texts] = arguments, done = arguments[arguments.length - 1];
const show = (html) => new Promise((shown) => {
  const frame = document.createElement('iframe');
  frame.onload = () => setTimeout(() => {
    const body = frame.contentDocument;
    const odd = body ? body.querySelectorAll('iframe, object, embed, base, math, marquee, audio, video, noscript > *, template, script:not([src]), [onload], [onerror], [onfocus], [ontoggle], [onmouseover], [autofocus], a[href^=javascript], a[href^=data], a[href*=evil]').length : -1;
    const found = [top.__hits, odd];
    frame.remove();
    shown(found);
  }, 30);
  frame.srcdoc = html;
  document.body.append(frame);
});
(async () => {
  const wrong = [];
  const look = async (name, html) => { const [hits, odd] = await show(html); if (hits || odd) { wrong.push(`${name}: ${hits} ran, ${odd} odd elements`); top.__hits = 0; } };
  const fetched = paths.map((path) => async () => { const answer = await fetch(path); const text = await answer.text(); if (answer.status !== 200) wrong.push(`${path} answers ${answer.status}`); await look(path, text); });
  const jobs = fetched.concat(texts.map(([name, html]) => () => look(name, html)));
  const lanes = Array.from({length: 8}, async () => { while (jobs.length) await jobs.shift()(); });
  await Promise.all(lanes);
  done(wrong);
})().catch((error) => done([String(error)]));";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_texts_stay_texts() {
    let (stage, ids) = infested().await;
    let mut chrome = Chrome::start("injections", Window::Desktop).await;
    chrome.devtools("Page.enable", json!({})).await;
    chrome.devtools("Page.setBypassCSP", json!({"enabled": true})).await;
    let counter = "top.__hits = top.__hits || 0; window.__hit = () => { top.__hits += 1 };";
    chrome.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": counter})).await;
    chrome.open(&stage.url("console")).await;
    chrome.pick(ADA).await;
    chrome.read("h1", "Today").await;
    chrome.open(&stage.url("subscriptions")).await;
    chrome.pick(ALEX).await;
    chrome.see(".list").await;

    // A vector that runs is noticed.
    let seen = show(&chrome, &[], &[("the control", "<img src=x onerror=__hit()>".to_owned())]).await;
    assert!(seen[0].starts_with("the control: 1 ran"), "{seen:?}");

    let mut paths = vec!["/subscriptions".to_owned(), "/console".to_owned(), "/console/subscriptions".to_owned()];
    paths.extend(ids.iter().map(|id| format!("/subscriptions/{id}")));
    paths.extend(ids.iter().map(|id| format!("/console/subscriptions/{id}")));
    let mails = stage.world().mails();
    let mails = mails.iter().filter_map(|mail| Some((mail.subject.as_str(), mail.html.clone()?)));
    let mails: Vec<(&str, String)> = mails.collect();
    assert!(mails.len() >= VECTORS.len());
    let wrong = show(&chrome, &paths, &mails).await;
    assert!(wrong.is_empty(), "{} are active: {wrong:#?}", wrong.len());
    drop(chrome);
    stage.finish().await;
}

async fn show(chrome: &Chrome, paths: &[String], texts: &[(&str, String)]) -> Vec<String> {
    chrome.driver.set_script_timeout(std::time::Duration::from_secs(120)).await.unwrap();
    let arguments = vec![json!(paths), json!(texts)];
    chrome.driver.execute_async(SHOW, arguments).await.unwrap().convert().unwrap()
}
