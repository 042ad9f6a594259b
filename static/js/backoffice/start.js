/**
 * Starts Wagtail's widgets without scripts in the page, which the policy forbids.
 *
 *   <script type="application/json" data-start="PageChooser">["id_page", {…}]</script>
 *
 * calls `new PageChooser("id_page", {…})`, and `initDateChooser` is called without `new`. A text
 * in place of the list is JSON of the only argument. Only Wagtail's own names are called.
 * See careers/backoffice/inert_scripts.py.
 */
(() => {
  const CLASS = /^(\w*Chooser|InlinePanel|MultipleChooserPanel)$/;
  const FUNCTION = /^init(Date|Time|DateTime)Chooser$/;
  const started = new WeakSet();

  const start = (data) => {
    if (started.has(data)) return;
    started.add(data);
    const name = data.dataset.start;
    const isFunction = FUNCTION.test(name);
    if (!isFunction && !CLASS.test(name)) return;
    let given = JSON.parse(data.textContent);
    if (typeof given === 'string') given = [JSON.parse(given)];
    if (isFunction) window[name](...given);
    else new window[name](...given);
  };

  const SELECTOR = 'script[type="application/json"][data-start]';
  const startIn = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.matches(SELECTOR)) start(node);
    for (const data of node.querySelectorAll(SELECTOR)) start(data);
  };

  document.addEventListener('DOMContentLoaded', () => {
    startIn(document.documentElement);
    // Dialogs and panels arrive later.
    new MutationObserver((changes) => {
      for (const change of changes) change.addedNodes.forEach(startIn);
    }).observe(document.documentElement, { childList: true, subtree: true });
  });
})();
