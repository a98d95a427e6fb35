// Ordinary JavaScript for a few seconds: objects, closures, maps, strings, typed arrays, garbage.
'use strict';
const scale = Number(process.argv[2]);

function objects(n) {
  class Node {
    constructor(key) { this.key = key; this.left = null; this.right = null; }
  }
  let root = new Node(500000);
  let state = 12345;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const key = state % 1000000;
    let at = root;
    for (;;) {
      const side = key < at.key ? 'left' : 'right';
      if (at[side] === null) { at[side] = new Node(key); break; }
      at = at[side];
    }
  }
  let hash = 0;
  const walk = (node, depth) => {
    if (node === null) return;
    walk(node.left, depth + 1);
    hash = (hash * 31 + node.key + depth) % 1000000007;
    walk(node.right, depth + 1);
  };
  walk(root, 0);
  return hash;
}

function words(n) {
  const counts = new Map();
  for (let i = 0; i < n; i++) {
    const word = `w${(i * 7919) % 1009}`;
    counts.set(word, (counts.get(word) || 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 3).join(';');
}

function json(n) {
  const data = [];
  for (let i = 0; i < n; i++) data.push({id: i, name: 'name ' + i, tags: ['a', 'b', i % 7], value: i / 3});
  const text = JSON.stringify(data);
  return JSON.parse(text).reduce((sum, item) => sum + item.value + item.tags[2], text.length).toFixed(6);
}

function matrix(n) {
  const a = new Float64Array(n * n).map((_, i) => i % 10);
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k] * a[k * n + j];
      c[i * n + j] = sum;
    }
  return c.reduce((x, y) => x + y, 0);
}

function patterns(n) {
  let text = '';
  for (let i = 0; i < n; i++) text += `key${i}=${i * 37 % 1001}&`;
  let sum = 0;
  for (const match of text.matchAll(/key(\d+)=(\d+)&/g)) sum += Number(match[1]) * Number(match[2]);
  return sum;
}

let last = '';
for (let i = 0; i < scale; i++) {
  const line = [objects(30000), words(60000), json(8000), matrix(120), patterns(15000),
    (2n ** 2203n - 1n) % 1000000007n].join(' ');
  if (i > 0 && line !== last) throw new Error(`${last} became ${line}`);
  last = line;
}
console.log(last);
