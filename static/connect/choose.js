// The search among many choices. Without scripts the field stays hidden, and the whole list is there.
(() => {
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const field = document.getElementById("sought");
  const none = document.getElementById("none");
  const found = document.getElementById("found"); // what a screen reader says
  const items = [...document.querySelectorAll("#choices > li")].map((item) => [item, plain(item.dataset.sought ?? item.textContent)]);
  const search = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [item, text] of items) {
      item.hidden = !words.every((word) => text.includes(word));
      shown += item.hidden ? 0 : 1;
    }
    none.hidden = shown > 0;
    const { some, none: nothing } = found.dataset;
    found.textContent = shown ? some.replace("{number}", shown) : nothing;
  };
  document.getElementById("search").hidden = false;
  field.addEventListener("input", search);
})();
