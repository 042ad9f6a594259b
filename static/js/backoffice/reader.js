/**
 * Shows the pages of a file in the page of its application.
 *
 *   <details data-reader="…/pages/" data-failed="…" open>
 *     <summary>…</summary><div data-reader-box tabindex="0"></div>
 *   </details>
 *
 * The server draws each page in a process of its own, and for one reader only few at a time. So
 * this loads one page after the other, and only those that are near the visible part.
 */
(() => {
  const RETRIES = 3;
  const PAUSE = 1500;
  const waiting = [];
  let isLoading = false;

  const next = () => {
    const image = waiting.shift();
    isLoading = Boolean(image);
    if (image) load(image, RETRIES);
  };

  const load = (image, left) => {
    image.onload = () => {
      image.removeAttribute('width');
      image.removeAttribute('height');
      image.classList.add('is-shown');
      next();
    };
    image.onerror = () => {
      if (left > 0) {
        window.setTimeout(() => load(image, left - 1), PAUSE);
        return;
      }
      const note = document.createElement('p');
      note.className = 'bo-reader__note';
      note.textContent = `${image.alt}: ${image.closest('[data-reader]').dataset.failed}`;
      image.replaceWith(note);
      next();
    };
    image.src = image.dataset.src;
  };

  const near = (box) =>
    new IntersectionObserver(
      (entries, observer) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          observer.unobserve(target);
          waiting.push(target);
        }
        if (!isLoading) next();
      },
      { root: box, rootMargin: '400px' },
    );

  const read = async (reader) => {
    const box = reader.querySelector('[data-reader-box]');
    reader.dataset.state = 'loading';
    box.setAttribute('aria-busy', 'true');
    try {
      const response = await fetch(reader.dataset.reader, {
        headers: { 'X-Requested-With': 'XMLHttpRequest' },
      });
      if (response.redirected) throw new Error('login');
      box.innerHTML = await response.text();
      const observer = near(box);
      box.querySelectorAll('img[data-src]').forEach((image) => observer.observe(image));
      box.querySelector('[data-reader-again]')?.addEventListener('click', () => read(reader));
      reader.dataset.state = 'shown';
    } catch {
      box.textContent = reader.dataset.failed;
      reader.dataset.state = '';
    }
    box.removeAttribute('aria-busy');
  };

  document.querySelectorAll('[data-reader]').forEach((reader) => {
    const show = () => {
      if (reader.open && !reader.dataset.state) read(reader);
    };
    reader.addEventListener('toggle', show);
    show();
  });
})();
