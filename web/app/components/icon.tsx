// Our own line icons, drawn on a 24 grid. Always decoration: the control around one has the label.

const paths = {
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20',
  edit: 'M4 20l1-4L16 5l3 3L8 19l-4 1zM14 7l3 3',
  compose:
    'M12 5H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-6M10 14l.7-3L18 3.7l2.3 2.3L13 13.3 10 14z',
  group:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.4-3.6 3-5.5 6.5-5.5s6.1 1.9 6.5 5.5M16 4.5a3.5 3.5 0 0 1 0 6.3M18 14.9c2 .7 3.2 2.5 3.5 5.1',
  settings:
    'M4 7h9M18 7h2M4 17h3M12 17h8M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM9.5 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  send: 'M12 19V5M6 11l6-6 6 6',
  smile:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5c1 1.3 2.1 2 3.5 2s2.5-.7 3.5-2M9 9.8v.1M15 9.8v.1',
  reply: 'M10 6L4 12l6 6M4.5 12H14c3.5 0 6 2.2 6 6',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.6v.1',
  down: 'M12 5v14M6 13l6 6 6-6',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2.5 12.5l4 4L14.5 8M11.2 15.2l1.3 1.3L20.5 8',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.5l3 1.5',
  alert: 'M12 4L3 20h18L12 4zM12 10.5v4M12 17.2v.1',
  leave: 'M14 4H6v16h8M11 12h10M17.5 8.5L21 12l-3.5 3.5',
  plus: 'M12 5v14M5 12h14',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6z',
  eye_off:
    'M4 4l16 16M9.5 5.8A9.6 9.6 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-2.7 3.4M14.5 17.2a9 9 0 0 1-2.5.3C6 17.5 2.5 12 2.5 12a17 17 0 0 1 3.9-4.3',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  bolt: 'M13 3L5 14h6l-1 7 8-11h-6l1-7z',
  server: 'M4 5h16v6H4zM4 13h16v6H4zM8 8v.1M8 16v.1',
  at: 'M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM15.5 8.5V13a2.3 2.3 0 0 0 4.6 0v-1a8.1 8.1 0 1 0-3.2 6.5',
  phone: 'M7 3h10a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2',
  home: 'M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4.5v-6h-5v6H5a1 1 0 0 1-1-1v-8z',
  menu: 'M4 7h16M4 12h16M4 17h16',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.6-4 3.6-6 7.5-6s6.9 2 7.5 6',
  calendar:
    'M5 6h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM4 10.5h16M8.5 3.5V8M15.5 3.5V8',
  chart: 'M4 4v16h16M8 15l3.5-4.5 3 2.5L20 6.5M16.5 6.5H20V10',
  shield: 'M12 3.5l7 2.5v5.5c0 4.4-2.8 7.5-7 9-4.2-1.5-7-4.6-7-9V6l7-2.5zM9 12l2.2 2.2L15 10',
  heart: 'M12 20S3.5 15 3.5 9.2A4.6 4.6 0 0 1 12 6.6a4.6 4.6 0 0 1 8.5 2.6C20.5 15 12 20 12 20z',
  bookmark: 'M7 4h10a1 1 0 0 1 1 1v15l-6-4.2L6 20V5a1 1 0 0 1 1-1z',
  comment:
    'M12 4.5c5 0 8.5 3 8.5 7s-3.5 7-8.5 7c-1 0-2-.1-2.9-.4L4.5 20.500l1.1-3.600C4.2 15.5 3.5 13.6 3.5 11.500c0-4 3.5-7 8.5-7z',
  link: 'M10 14a4 4 0 0 0 5.7 0l3.1-3.100a4 4 0 0 0-5.7-5.700L12 6.300M14 10a4 4 0 0 0-5.7 0l-3.1 3.100a4 4 0 0 0 5.7 5.700l1.1-1.1',
  globe:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3.5 12h17M12 3c2.5 2.5 3.7 5.5 3.7 9S14.5 18.5 12 21c-2.5-2.5-3.7-5.5-3.7-9S9.5 5.5 12 3z',
  flag: 'M5.5 21V4.500M5.5 5c4-2.5 8 2.5 13 0v9c-5 2.5-9-2.5-13 0',
  block: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.8 5.800l12.4 12.4',
  mute: 'M4 4l16 16M9 5.500A6 6 0 0 1 18 10.500c0 2.2.4 3.8 1 5M6.3 8.500A6 6 0 0 0 6 10.500c0 4-1.5 6-2 6.5h12.500M10 20a2.2 2.2 0 0 0 4 0',
  hash: 'M9.5 4L7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16',
  play: 'M7 4.500v15l12-7.5-12-7.500z',
  pause: 'M8 5v14M16 5v14',
  download: 'M12 4v11M7 10.500l5 5 5-5M5 20h14',
  history: 'M4 5v4.500h4.500M4.5 9.500a8 8 0 1 1-.3 4.500M12 8v4.500l3 1.5',
  place:
    'M12 21s-6.5-5.7-6.5-11a6.5 6.5 0 0 1 13 0c0 5.3-6.5 11-6.5 11zM12 12.200a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.400z',
  bell: 'M6 10.500a6 6 0 0 1 12 0c0 4 1.5 6 2 6.5H4c.5-.5 2-2.5 2-6.5zM10 20a2.2 2.2 0 0 0 4 0',
  spark: 'M12 3l2.2 6.300L20.5 12l-6.3 2.700L12 21l-2.2-6.300L3.5 12l6.3-2.700L12 3z',
  chat: 'M6 5h12a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-6l-5 4v-4H6a3 3 0 0 1-3-3V8a3 3 0 0 1 3-3z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({
  name,
  size = 20,
  filled,
}: {
  name: IconName;
  size?: number;
  filled?: boolean;
}) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width={name === 'more' ? 3 : 1.9}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark of the product. */
export function Mark({ size = 30 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="#4f46e5" />
      <path
        d="M9 8.5h14a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-7.2L11 25.4c-.7.5-1.6 0-1.6-.8v-3.1H9a3 3 0 0 1-3-3v-7a3 3 0 0 1 3-3Z"
        fill="#fff"
      />
      <circle cx="11.5" cy="15" r="1.7" fill="#4f46e5" />
      <circle cx="16" cy="15" r="1.7" fill="#4f46e5" />
      <circle cx="20.5" cy="15" r="1.7" fill="#4f46e5" />
    </svg>
  );
}
