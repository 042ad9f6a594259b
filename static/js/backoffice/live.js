/**
 * Keeps a part of the page up to date.
 *
 *   <div data-live data-live-url="…" data-live-seconds="3">…</div>
 *
 * It pauses while the tab is hidden, while keyboard focus or a text selection is inside, and
 * while a folded detail is open: the page must not change while a person works on it. Then
 * `[data-live-paused="…"]` says why, `[data-live-since]` how old the content is, and
 * `[data-live-resume]` refreshes once. Screen readers hear changes through
 * `[data-live-announce]`, in the words of `[data-live-words]`.
 */
(() => {
  const box = document.querySelector('[data-live]');
  if (!box) return;

  const announce = document.querySelector('[data-live-announce]');
  const note = document.querySelector('[data-live-note]');
  const fallback = document.querySelector('[data-live-fallback]');
  const state = document.querySelector('[data-live-state]');
  const since = document.querySelector('[data-live-since]');
  const time = document.querySelector('[data-live-time]');
  const resume = document.querySelector('[data-live-resume]');
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
  // When the server last said that this is how things are.
  let shownAt = Date.now();

  /** Why the content must not change now: a name of `[data-live-paused]`, or "" if it may. */
  const reason = () => {
    if (document.hidden) return 'hidden';
    if (pressed || box.contains(document.activeElement)) return 'focus';
    if (box.querySelector('details[open]') !== null) return 'details';
    const selection = document.getSelection();
    const selects = selection && !selection.isCollapsed && box.contains(selection.anchorNode);
    return selects ? 'selection' : '';
  };

  /** Say whether the page updates itself, and if not, why and since when. */
  const say = (why) => {
    if (note) note.hidden = why !== '';
    if (fallback) fallback.hidden = why !== 'failed';
    for (const words of document.querySelectorAll('[data-live-paused]')) {
      words.hidden = words.dataset.livePaused !== why;
    }
    if (since) since.hidden = why === '';
    if (time) time.textContent = String(Math.round((Date.now() - shownAt) / 1000));
    if (resume) resume.hidden = why === '' || why === 'failed';
    if (state) state.dataset.liveState = why || 'live';
  };

  let timer = 0;
  const later = () => {
    const pause = Math.min(60, seconds * 2 ** failures);
    window.clearTimeout(timer);
    timer = window.setTimeout(refresh, pause * 1000);
  };

  const succeeded = () => {
    failures = 0;
    shownAt = Date.now();
    say('');
  };

  async function refresh(demanded = false) {
    const why = demanded === true ? '' : reason();
    if (why) {
      say(failures ? 'failed' : why);
      return later();
    }
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
      if ((demanded === true || !reason()) && search === window.location.search) {
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
      say('failed');
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
    if (document.hidden) return;
    failures = 0;
    refresh();
  });
  resume?.addEventListener('click', () => refresh(true));
  // Say at once that a click or the keyboard has paused it, and continue soon after it has left.
  box.addEventListener('focusin', () => say('focus'));
  box.addEventListener('focusout', later);
  later();
})();
