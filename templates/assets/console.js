// The console's keyboard: "/" searches, "j" and "k" go from row to row, "n" turns the page. Everything works without it.
(() => {
  const typing = (target) => target.closest('input, textarea, select, [contenteditable]');
  const rows = () => [...document.querySelectorAll('main tbody tr')].filter((row) => row.querySelector('a, button, summary'));
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const here = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
    next.querySelector('a, button, summary').focus();
  };
  const actions = {
    '/': () => document.getElementById('q')?.focus(),
    j: () => move(1),
    k: () => move(-1),
    n: () => document.querySelector('a[rel=next]')?.click(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
})();
