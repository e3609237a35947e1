// Light, dark, or as the system says. theme_early.ts applies the stored choice before first paint.
import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const stored = localStorage.getItem('parley.theme');
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');

export function setTheme(choice: Theme): void {
  theme.value = choice;
  if (choice === 'system') {
    localStorage.removeItem('parley.theme');
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem('parley.theme', choice);
    document.documentElement.dataset.theme = choice;
  }
}
