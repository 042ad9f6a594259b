// Sends a form only once. The server stores equal applications once anyway; this avoids a second
// upload.

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
    // An applicant who stops the upload must be able to send again.
    setTimeout(release, PATIENCE);
  });

  // The browser's back button may restore this page in its last state.
  window.addEventListener("pageshow", (event) => event.persisted && release());

  function release() {
    sentAt = -Infinity;
    form.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
    progress.textContent = "";
  }
}
