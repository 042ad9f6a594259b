/** "Select all" checks every language of the form that sends a page for translation. */
document.querySelector('[name="select_all"]')?.addEventListener('change', (event) => {
  for (const box of document.querySelectorAll('[name="locales"]')) {
    box.checked = event.target.checked;
  }
});
