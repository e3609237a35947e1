// What a machine can see of whether a page works for everybody: contrast, names, sizes, widths.
import assert from 'node:assert/strict';

export const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

/** What is wider than the screen, as words; null when all fits. */
export const overflows = (page) =>
  page.evaluate(() => {
    if (document.documentElement.scrollWidth > innerWidth) return 'the page';
    const wide = [...document.querySelectorAll('body *')].find(
      (one) =>
        one.getBoundingClientRect().right > innerWidth + 1 &&
        getComputedStyle(one).position !== 'fixed' &&
        !one.closest('.visually-hidden'),
    );
    return wide ? wide.outerHTML.slice(0, 200) : null;
  });

/** Every text that is drawn, with its contrast against what lies behind it (WCAG 2.2, 1.4.3). */
function weakTexts(page) {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
    const ground = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) {
        if (getComputedStyle(at).backgroundImage !== 'none') return null;
        layers.push(rgba(getComputedStyle(at).backgroundColor));
      }
      return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const light = (colour) => {
      const [r, g, b] = colour.map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const weak = [];
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      const box = element.getBoundingClientRect();
      if (
        !own ||
        box.width < 2 ||
        element.closest('.visually-hidden, :disabled, noscript, script, style')
      )
        continue;
      let seen = 1;
      for (let at = element; at; at = at.parentElement)
        seen *= Number(getComputedStyle(at).opacity);
      const below = ground(element);
      if (!below || seen === 0 || !element.checkVisibility()) continue;
      const style = getComputedStyle(element);
      const front = over(rgba(style.color), below);
      const [high, low] = [light(front), light(below)].sort((a, b) => b - a);
      const ratio = (high + 0.05) / (low + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5))
        weak.push(
          `${ratio.toFixed(2)} ${element.className || element.tagName}: ${element.innerText}`,
        );
    }
    return weak;
  });
}

/** Controls without a name, images without a text, doubled ids, controls inside controls. */
function flaws(page) {
  return page.evaluate(() => {
    const found = [];
    const nameOf = (one) =>
      one.getAttribute('aria-label') ??
      (one.labels?.length ? one.labels[0].innerText : null) ??
      document.getElementById(one.getAttribute('aria-labelledby'))?.innerText ??
      (one.innerText || one.title);
    const controls = 'button, a[href], input, textarea, select, dialog, [role=dialog], [role=menu]';
    for (const one of document.querySelectorAll(controls)) {
      if (one.checkVisibility() && !nameOf(one)?.trim())
        found.push(`no name: ${one.outerHTML.slice(0, 90)}`);
      if (one.matches('button, a') && one.querySelector('button, a, input'))
        found.push(`a control in a control: ${one.outerHTML.slice(0, 90)}`);
    }
    for (const one of document.querySelectorAll('img:not([alt])')) found.push(`no alt: ${one.src}`);
    const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
    for (const id of new Set(ids.filter((one, i) => ids.indexOf(one) !== i)))
      found.push(`twice: #${id}`);
    if (document.querySelectorAll('main').length !== 1) found.push('not one <main>');
    if (!document.documentElement.lang) found.push('no language');
    for (const one of document.querySelectorAll('[tabindex]'))
      if (Number(one.getAttribute('tabindex')) > 0) found.push('a positive tabindex');
    for (const one of document.querySelectorAll('button, a[href]')) {
      const box = one.getBoundingClientRect();
      const inText = one.closest('.text, p, figcaption, h3');
      if (one.checkVisibility() && !inText && box.width > 0 && (box.width < 24 || box.height < 24))
        found.push(`smaller than 24 px: ${one.outerHTML.slice(0, 90)}`);
    }
    return found;
  });
}

export async function inspect(page, where) {
  assert.deepEqual(await weakTexts(page), [], `contrast: ${where}`);
  assert.deepEqual(await flaws(page), [], `controls: ${where}`);
}
