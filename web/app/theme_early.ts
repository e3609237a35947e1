// Runs before the first paint, as a small blocking script, so that a chosen theme never flashes
// through the other one. Everything else about themes is in state/theme.ts.
const chosen = localStorage.getItem('parley.theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
