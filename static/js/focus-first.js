// What went wrong, or what is to be checked, is read first.

document.querySelector("[data-focus-first]")?.focus();
