/**
 * Keeps a part of the page up to date.
 *
 *   <div data-live data-live-url="…" data-live-seconds="3">…</div>
 *
 * It pauses while the tab is hidden, while keyboard focus or a text selection is inside, and
 * while a folded detail is open: the page must not change while a person works on it. Screen
 * readers hear changes through `[data-live-announce]`, in the words of `[data-live-words]`.
 */
(() => {
  const box = document.querySelector('[data-live]');
  if (!box) return;

  const announce = document.querySelector('[data-live-announce]');
  const note = document.querySelector('[data-live-note]');
  const fallback = document.querySelector('[data-live-fallback]');
  const seconds = Number(box.dataset.liveSeconds) || 3;
  const words = () => box.querySelector('[data-live-words]')?.dataset.liveWords ?? '';
  // Each answer has a new token, which is not a change.
  const comparable = (html) => html.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, '');

  let shown = '';
  // What the server calls the content that it sent last.
  let version = '';
  let said = words();
  let failures = 0;
  let pressed = false;

  const isInUse = () => {
    const selection = document.getSelection();
    return (
      document.hidden ||
      pressed ||
      box.contains(document.activeElement) ||
      box.querySelector('details[open]') !== null ||
      (selection && !selection.isCollapsed && box.contains(selection.anchorNode))
    );
  };

  const later = () => {
    const pause = Math.min(60, seconds * 2 ** failures);
    window.setTimeout(refresh, pause * 1000);
  };

  const succeeded = () => {
    failures = 0;
    if (note) note.hidden = false;
    if (fallback) fallback.hidden = true;
  };

  async function refresh() {
    if (isInUse()) return later();
    const search = window.location.search;
    try {
      const response = await fetch(box.dataset.liveUrl + search, {
        // The browser keeps nothing: who signs in next must not find it.
        cache: 'no-store',
        headers: {
          'X-Requested-With': 'XMLHttpRequest',
          'X-Live': '1',
          ...(version && { 'If-None-Match': version }),
        },
        signal: AbortSignal.timeout(10000),
      });
      if (response.status === 304) {
        succeeded();
        return later();
      }
      // A login page or an error must not replace the last known content.
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      const html = await response.text();
      version = '';
      // Meanwhile the reader may have begun to work here, or chosen another filter.
      if (!isInUse() && search === window.location.search) {
        version = response.headers.get('ETag') ?? '';
        if (comparable(html) !== shown) {
          box.innerHTML = html;
          shown = comparable(html);
          if (announce && words() !== said) {
            said = words();
            announce.textContent = said;
          }
        }
      }
      succeeded();
    } catch {
      failures += 1;
      if (note) note.hidden = true;
      if (fallback) fallback.hidden = false;
    }
    return later();
  }

  box.addEventListener('pointerdown', () => {
    pressed = true;
  });
  for (const type of ['pointerup', 'pointercancel']) {
    window.addEventListener(type, () => {
      pressed = false;
    });
  }
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) failures = 0;
  });
  later();
})();
