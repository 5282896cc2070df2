// The report as one HTML file that loads nothing: the parts are in report_html_parts.cc.

#include <fmt/format.h>

#include "audit/report.h"
#include "audit/report_figures.h"
#include "audit/report_html_parts.h"
#include "audit/report_verdict.h"
#include "audit/report_words.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace alcove::audit {

namespace {

constexpr std::string_view kStyle =
    R"(:root{color-scheme:light dark;--back:#fbfbfa;--card:#fff;--text:#1b1c1e;--dim:#5c6066;--line:#d9dade;--bar:#2b6cb0;--other:#a9c4e4;--bad:#b3261e;--warn:#8a5a00;--good:#1a6b3c;--badback:#fdecea;--warnback:#fdf3dc;--goodback:#e5f4ea}
@media(prefers-color-scheme:dark){:root{--back:#141619;--card:#1d2024;--text:#e9eaec;--dim:#a3a8b0;--line:#363a41;--bar:#6aaef0;--other:#34527a;--bad:#ff8a80;--warn:#f0c264;--good:#7fd6a2;--badback:#3a1d1b;--warnback:#352a12;--goodback:#15301f}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main,header,footer{max-width:60rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
.tool,.dim,figcaption,footer{color:var(--dim)}
h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0 .6rem}
h2{font-size:1.3rem;margin:2.4rem 0 .6rem}
h3{font-size:1.05rem;margin:0}
h4{font-size:1rem;margin:1.2rem 0 .3rem}
.verdict{border:1px solid var(--line);border-left:.6rem solid var(--good);background:var(--goodback);border-radius:.5rem;padding:1rem 1.2rem;margin:1rem 0}
.verdict.error{border-left-color:var(--bad);background:var(--badback)}
.verdict.warning{border-left-color:var(--warn);background:var(--warnback)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1rem 0;padding:0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.facts dt{color:var(--dim);font-size:.85rem}
.facts dd{margin:0;font-size:1.15rem;overflow-wrap:anywhere}
article{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem 1.2rem;margin:0 0 1rem}
article p{margin:.5rem 0}
.badge{display:inline-block;border-radius:1rem;padding:.05rem .7rem;font-size:.8rem;border:1px solid currentColor;margin-right:.4rem;font-weight:600}
.badge.error{color:var(--bad)}.badge.warning{color:var(--warn)}.badge.info{color:var(--dim)}
.code{font:600 .85rem ui-monospace,monospace;color:var(--dim)}
.mono,pre{font:.84rem/1.45 ui-monospace,SFMono-Regular,Menlo,monospace}
.mono{overflow-wrap:anywhere}
.one{white-space:nowrap;overflow-wrap:normal}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem}
details{border-top:1px solid var(--line);padding:.35rem 0}
summary{cursor:pointer;overflow-wrap:anywhere}
summary:focus-visible,a:focus-visible{outline:3px solid var(--bar);outline-offset:2px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}
caption{text-align:left;color:var(--dim);padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.bad td{background:var(--badback)}
figure{margin:1rem 0}
svg{width:100%;height:auto;display:block;font:13px system-ui,sans-serif}
svg text{fill:var(--text)}svg .dim{fill:var(--dim)}svg .bad{fill:var(--bad);font-weight:600}
.bar{fill:var(--bar)}.other{fill:var(--other)}.denied{fill:var(--bad)}.axis{stroke:var(--line);stroke-width:1}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:.15rem;margin:0 .3rem 0 .8rem;vertical-align:-.05rem}
.key.bar{background:var(--bar)}.key.other{background:var(--other)}.key.denied{background:var(--bad)}
footer{padding-top:1rem;padding-bottom:3rem;font-size:.9rem}
@media(max-width:36rem){body{font-size:15px}h1{font-size:1.35rem}article{padding:.8rem}svg{font-size:20px}}
@media print{:root{color-scheme:light}body{background:#fff;font-size:11pt}article,figure,tr{break-inside:avoid}.scroll{overflow:visible}details::details-content{content-visibility:visible;height:auto}}
)";

// A Content-Security-Policy names a style by standard base64 with padding.
std::string style_hash() {
  std::string text = base::to_base64url(crypto::sha256(base::as_bytes(kStyle)));
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  return text + "=";
}

std::string head(const Report& report, Language language) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"referrer\" content=\"no-referrer\">"
      "<title>{}: {}</title>\n<style>{}</style></head><body>\n",
      pick(language, "en", "fr"), style_hash(), pick(language, "Audit", "Audit"),
      escape_html(report.input, 200), kStyle);
}

std::string footer(Language language) {
  return fmt::format(
      "<footer><p>{}</p><p>IP Geolocation by DB-IP (db-ip.com).</p></footer></body></html>\n",
      pick(language,
           "Packet numbers count from 1 as Wireshark and tshark do: the filter "
           "<code>frame.number == 12</code> shows packet 12. Times are UTC.",
           "Les numéros de paquets comptent à partir de 1, comme dans Wireshark et tshark. Le "
           "filtre <code>frame.number == 12</code> montre le paquet 12. Les heures sont en UTC."));
}

}  // namespace

std::string to_html(const Report& report, Language language) {
  std::string out = head(report, language);
  out += html_verdict(report, language);
  out += "<main>\n";
  out += html_facts(report, language);
  out += html_findings(report, language);
  out += html_countries(report, language);
  out += html_timeline(report, language);
  out += html_media(report, language);
  out += html_flows(report, language);
  out += html_given(report, language);
  out += "</main>\n";
  return out + footer(language);
}

}  // namespace alcove::audit
