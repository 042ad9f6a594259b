// One press sends once. The server keeps one copy of equal applications anyway; this spares
// people the doubt, and their connection a second upload.

const PATIENCE = 20_000;

for (const form of document.querySelectorAll("form[data-send-once]")) {
  const button = form.querySelector("button[type=submit]");
  const progress = form.querySelector("[data-progress]");
  let sentAt = -Infinity;

  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    if (performance.now() - sentAt < PATIENCE) {
      event.preventDefault();
      return;
    }
    sentAt = performance.now();
    form.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", "true");
    progress.textContent = form.dataset.sending;
    // Somebody who stops the upload must be able to send again.
    setTimeout(release, PATIENCE);
  });

  // The browser's back button may bring this page back as it was left.
  window.addEventListener("pageshow", (event) => event.persisted && release());

  function release() {
    sentAt = -Infinity;
    form.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
    progress.textContent = "";
  }
}
