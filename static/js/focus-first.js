// Focuses the errors, or the notice about what to check, so that they are read first.

document.querySelector("[data-focus-first]")?.focus();
