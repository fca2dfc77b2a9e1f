// Comfort for pages that work without it: costs while you type, progress without a reload, copying, no double submit.
"use strict";
(() => {
  const one = (selector, inside = document) => inside.querySelector(selector);
  const say = (text) => { const place = one("[data-spoken-here]"); if (place && text && place.textContent !== text) place.textContent = text; };
  one("[data-focus]")?.focus();

  // The Cost Projection follows the form.
  const form = one("form[data-projection]");
  if (form) {
    one("[data-without-script]", form)?.setAttribute("hidden", "");
    let timer, latest = 0;
    const complain = (text) => {
      const field = one('[data-field="users"]', form), input = one("#users", form);
      if (!field || !input) return;
      field.classList.toggle("wrong", text !== "");
      one(".why", field).textContent = text;
      if (text) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    };
    const ask = async () => {
      const mine = ++latest;
      const query = new URLSearchParams();
      for (const [name, value] of new FormData(form)) if (name === "users" || name === "extra") query.append(name, value);
      const place = one("#projection");
      place.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(form.dataset.projection + "?" + query, { credentials: "same-origin", headers: { Accept: "text/html" } });
        const text = await answer.text();
        if (mine !== latest) return;                       // a later question is on its way
        const fresh = one("#projection", new DOMParser().parseFromString(text, "text/html"));
        if (!fresh || answer.redirected) throw new Error("no projection");
        const open = one("details", place)?.open;
        if (open && one("details", fresh)) one("details", fresh).open = true;
        place.replaceWith(fresh);
        complain(fresh.dataset.usersError);
        say(fresh.dataset.spoken);
      } catch {
        if (mine !== latest) return;
        place.removeAttribute("aria-busy");
        one("[data-without-script]", form)?.removeAttribute("hidden");   // then by hand
      }
    };
    form.addEventListener("input", (event) => {
      if (event.target.name !== "users" && event.target.name !== "extra") return;
      latest++;                                            // whatever is on its way is stale
      clearTimeout(timer);
      timer = setTimeout(ask, 350);
    });
  }

  // A second click does not order twice.
  one("form[data-once]")?.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "yes";
    one("button.button", event.target).setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => { const sent = one("form[data-sent]"); if (sent) { delete sent.dataset.sent; one("button.button", sent).removeAttribute("aria-disabled"); } });

  // Progress: reload when something is new, go on when all is done.
  const progress = one("[data-progress]");
  if (progress && !("still" in progress.dataset)) {
    const look = async () => {
      try {
        const answer = await fetch(progress.dataset.progress, { credentials: "same-origin", cache: "no-store" });
        const now = await answer.json();
        if (now.next) { say(now.spoken); location.replace(now.next); return; }
        if (now.state !== progress.dataset.state) { location.reload(); return; }
      } catch { /* the next look may succeed */ }
      setTimeout(look, 2000);
    };
    setTimeout(look, 1500);
  }

  // Copy: only where the browser can.
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const before = button.textContent;
      await navigator.clipboard.writeText(one(button.dataset.copy).textContent.trim());
      button.textContent = "Copied";
      say("The license key is on the clipboard.");
      setTimeout(() => { button.textContent = before; }, 2000);
    });
  }
})();
