// Copies a text when a button is pressed, and confirms it.

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const state = button.parentElement.querySelector("[data-copy-state]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      state.textContent = button.dataset.copied;
    } catch {
      state.textContent = button.dataset.failed;
    }
  });
}
