// Description texts: paragraphs and `code`, nothing else of Markdown is used by the server.

export function Prose({ text }: { text: string }) {
  return (
    <>
      {text.split(/\n{2,}/).map((paragraph, index) => (
        <p key={index} class="prose">
          {paragraph
            .split('`')
            .map((piece, at) => (at % 2 ? <code key={at}>{piece}</code> : piece))}
        </p>
      ))}
    </>
  );
}

export function CodeBlock({ label, text }: { label: string; text: string }) {
  return (
    <figure class="code">
      <figcaption>
        {label}
        <button
          type="button"
          class="button small"
          onClick={() => void navigator.clipboard?.writeText(text)}
        >
          Copy
        </button>
      </figcaption>
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </figure>
  );
}
