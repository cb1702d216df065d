// What a person would notice of each page in a frame: text that is too faint, what leaves the window, focus that is not seen.

const channels = text => (text.match(/[\d.]+(e-\d+)?/g) || []).map(Number);
const unit = ([r, g, b, a = 1], scale) => [r / scale, g / scale, b / scale, a];
const colour = text => unit(channels(text.replace(/^color\(srgb/, "")), text.startsWith("color(") ? 1 : 255);
const over = ([r, g, b, a], [x, y, z]) => [a * r + (1 - a) * x, a * g + (1 - a) * y, a * b + (1 - a) * z, 1];
const light = c => c.slice(0, 3).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
  .reduce((sum, x, k) => sum + [0.2126, 0.7152, 0.0722][k] * x, 0);
const contrast = (a, b) => {
  const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const named = one => one.tagName + "." + one.getAttribute("class");

function behind(one, view) {  // the colour below a text: that of the nearest ancestor that has one
  const backgrounds = [];
  for (let at = one; at; at = at.parentElement) backgrounds.push(colour(view.getComputedStyle(at).backgroundColor));
  return backgrounds.reverse().reduce((below, above) => over(above, below), [1, 1, 1, 1]);
}

function faint(inner, view) {
  const found = [];
  for (const one of inner.body.querySelectorAll("*")) {
    const said = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!said || one.closest(".unseen, title, desc, style, script")) continue;
    const style = view.getComputedStyle(one), drawn = one.tagName === "text" || one.tagName === "tspan";
    const page = behind(one, view);
    const marks = drawn ? [...one.parentNode.querySelectorAll(".k > rect")] : [];
    const grounds = marks.length ? marks.map(rect => {
      const mark = view.getComputedStyle(rect), [r, g, b] = colour(mark.fill);
      return over([r, g, b, Number(mark.fillOpacity)], page);
    }) : [page];
    for (const ground of grounds) {
      const ratio = contrast(over(colour(drawn ? style.fill : style.color), ground), ground);
      if (ratio < 4.5) found.push(`${named(one)} ${one.textContent.trim().slice(0, 20)}: ${ratio.toFixed(2)}`);
    }
  }
  return found;
}

function wide(inner, width) {
  return [...inner.body.querySelectorAll("*")].filter(one =>
    one.getBoundingClientRect().right > width + 1 && !one.closest(".scroll table, .unseen")).map(named);
}

function unfocused(inner, view) {
  view.focus();
  const reached = one => !one.parentElement.closest("details:not([open])") || one.tagName === "SUMMARY";
  return [...inner.querySelectorAll("a[href], summary, [tabindex]")].filter(reached).filter(one => {
    one.focus();
    const style = view.getComputedStyle(one);
    return one.tabIndex !== 0 || !one.matches(":focus-visible") || style.outlineStyle === "none"
      || parseFloat(style.outlineWidth) < 2 || one.getBoundingClientRect().left < 0;
  }).map(named);
}

addEventListener("load", () => {
  const seen = [...document.querySelectorAll("iframe")].map(frame => {
    const inner = frame.contentDocument, view = frame.contentWindow, width = frame.clientWidth;
    return {
      width: inner.documentElement.clientWidth,
      dark: view.matchMedia("(prefers-color-scheme: dark)").matches,
      sections: [...inner.querySelectorAll("section[id]")].map(one => one.id),
      wide: wide(inner, width), faint: faint(inner, view), unfocused: unfocused(inner, view),
    };
  });
  document.querySelector("pre").textContent = JSON.stringify(seen);
});
