// The filter: cards that do not have all of its words are hidden. The links of the table by rule fill it in.
(() => {
  const form = document.querySelector('.filter');
  const { words } = form.elements;
  const shown = form.querySelector('output');
  const cards = [...document.querySelectorAll('article')];
  let texts;
  const filter = () => {
    texts ??= cards.map(card => [card.dataset.rule, card.dataset.path, card.querySelector('h2').textContent, card.querySelector('.about').textContent].join(' ').toLowerCase());
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    cards.forEach((card, at) => {
      card.hidden = !wanted.every(word => texts[at].includes(word));
      count += !card.hidden;
    });
    shown.textContent = wanted.length ? `${count} of ${cards.length}` : '';
  };
  form.hidden = false;
  form.addEventListener('submit', event => event.preventDefault());
  words.addEventListener('input', filter);
  document.addEventListener('click', event => {
    const link = event.target.closest('nav a');
    if (!link) return;
    if (link.dataset.words) {
      words.value = words.value === link.dataset.words ? '' : link.dataset.words;
      event.preventDefault();
    } else {
      words.value = '';
    }
    filter();
  });
})();
