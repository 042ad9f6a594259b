// Shows how many characters are left when they get few. Screen readers announce it only when the
// applicant pauses.

const FEW = 0.2;
const REST = 1000;

for (const area of document.querySelectorAll("textarea[data-limit]")) {
  const shown = document.getElementById(area.dataset.count);
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.setAttribute("role", "status");
  shown.after(spoken);
  const limit = Number(area.dataset.limit);
  let rest;

  const count = () => {
    // Counts like the server: code points, and two of them per line break.
    const text = area.value.trim().replaceAll("\n", "\r\n");
    const left = limit - [...text].length;
    const words = left < 0 ? shown.dataset.over : shown.dataset.left;
    shown.textContent = words.replace(
      "%n",
      Math.abs(left).toLocaleString(document.documentElement.lang),
    );
    shown.hidden = left > limit * FEW;
    shown.classList.toggle("field__count--over", left < 0);
  };

  area.addEventListener("input", () => {
    count();
    clearTimeout(rest);
    rest = setTimeout(() => (spoken.textContent = shown.hidden ? "" : shown.textContent), REST);
  });
  count();
}
