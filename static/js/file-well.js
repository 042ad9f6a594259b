// Shows which file was chosen, and reports errors before the upload that the server would report
// after it.

const lang = document.documentElement.lang || undefined;

// The rule of home/values/size.py, with its words for the units.
function inWords(bytes, units, lang) {
  const KILO = 1024;
  const kilobytes = Math.ceil(bytes / KILO);
  const [number, unit] =
    bytes < KILO
      ? [bytes, bytes === 1 ? units.byte : units.bytes]
      : kilobytes < KILO
        ? [kilobytes, units.kilobytes]
        : [Math.ceil((bytes * 10) / KILO ** 2) / 10, units.megabytes];
  const options = { useGrouping: false, numberingSystem: "latn" };
  return unit.replace("%n", new Intl.NumberFormat(lang, options).format(number));
}

function problem(well, file) {
  if (file.size === 0) return well.dataset.empty;
  if (file.size > Number(well.dataset.maxBytes ?? Infinity)) {
    return well.dataset.large.replace("%size", () => inWords(file.size, well.dataset, lang));
  }
  return "";
}

for (const well of document.querySelectorAll("[data-file-well]")) {
  const input = well.querySelector("input[type=file]");
  const state = well.querySelector("[data-state]");
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "plain-button";
  drop.textContent = well.dataset.drop;
  drop.addEventListener("click", () => {
    input.value = "";
    show();
    input.focus();
  });

  const show = () => {
    const file = input.files[0];
    const wrong = file ? problem(well, file) : "";
    state.classList.toggle("well__state--wrong", Boolean(wrong));
    state.replaceChildren();
    if (!file) return;
    const words = document.createElement("span");
    words.textContent =
      wrong ||
      well.dataset.chosen
        .replace("%size", () => inWords(file.size, well.dataset, lang))
        .replace("%name", () => file.name);
    state.append(words);
    // Outside the message, so that screen readers do not announce it.
    drop.setAttribute("aria-label", `${well.dataset.drop}: ${file.name}`);
    state.append(drop);
  };

  input.addEventListener("change", show);
  window.addEventListener("pageshow", show);

  // The input stays usable; dropping a file is a shortcut to it.
  well.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    well.classList.add("well--over");
  });
  well.addEventListener("dragleave", () => well.classList.remove("well--over"));
  well.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    well.classList.remove("well--over");
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    show();
  });
}

// Runs before the form's own listeners: they must see that the form is not sent.
document.addEventListener(
  "submit",
  (event) => {
    for (const well of event.target.querySelectorAll("[data-file-well]")) {
      const input = well.querySelector("input[type=file]");
      if (input.files[0] && problem(well, input.files[0])) {
        event.preventDefault();
        input.focus();
        return;
      }
    }
  },
  true,
);
