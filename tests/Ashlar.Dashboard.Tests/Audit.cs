namespace Ashlar.Dashboard.Tests;

/// <summary>What a page must have so that everyone can use it, as a script that gives what is wrong.</summary>
internal static class Audit
{
    /// <summary>Names of controls, landmarks, one h1, unique ids, and text with a contrast of at least 4.5 to 1.</summary>
    public const string Script = """
        () => {
          const wrong = [];
          const visible = e => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
          const name = e => (e.getAttribute('aria-label') || (e.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)?.textContent ?? '').join(' ')
            || e.textContent || e.labels?.[0]?.textContent || '').trim();
          for (const e of document.querySelectorAll('button, a[href], input, [tabindex="0"]')) if (visible(e) && !name(e)) wrong.push(`no name: ${e.outerHTML.slice(0, 120)}`);
          for (const e of document.querySelectorAll('section, aside:not([hidden])')) if (visible(e) && !name(e)) wrong.push(`no label: ${e.id || e.className}`);
          for (const landmark of ['header', 'main']) if (document.querySelectorAll(landmark).length !== 1) wrong.push(`not one ${landmark}`);
          if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
          if (!document.documentElement.lang) wrong.push('no language');
          const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
          for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`twice: ${id}`);
          const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
          const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
          const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
          const behind = e => {
            const layers = [];
            for (let at = e; at; at = at.parentElement) { const c = rgba(getComputedStyle(at).backgroundColor); if (c[3] > 0) layers.push(c); if (c[3] === 1) break; }
            return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
          };
          const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const e = walker.currentNode.parentElement;
            if (!walker.currentNode.textContent.trim() || !visible(e) || e.closest('.sr, .skip, script, style, noscript, svg')) continue;
            const below = behind(e), text = over(rgba(getComputedStyle(e).color), below);
            const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
            const contrast = (a + 0.05) / (b + 0.05);
            if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: "${walker.currentNode.textContent.trim().slice(0, 40)}" in ${e.className || e.tagName}`);
          }
          return [...new Set(wrong)];
        }
        """;
}
