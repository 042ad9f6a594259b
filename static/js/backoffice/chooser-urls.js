/** The addresses of the choosers, for wagtail-localize's editor. They are in this tag's data. */
window.chooserUrls ??= { ...document.currentScript.dataset };
