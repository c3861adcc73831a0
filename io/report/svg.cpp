// SPDX-License-Identifier: Apache-2.0
// Copyright the Chorale authors
#include "io/report/svg.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace chorale::io::report {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

/// Bytes of the UTF-8 sequence at the start of `text`, or 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t n = byte(0) < 0x80   ? 1
                        : byte(0) < 0xc2 ? 0
                        : byte(0) < 0xe0 ? 2
                        : byte(0) < 0xf0 ? 3
                        : byte(0) < 0xf5 ? 4
                                         : 0;
  if (n == 0 || n > text.size()) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  return n;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = sequence_length(text.substr(i));
    const char c = text[i];
    if (n == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')) {
      out += replacement;
    } else if (n > 1) {
      out += text.substr(i, n);
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
    i += std::max<std::size_t>(n, 1);
  }
  return out;
}

std::size_t n_letters(std::string_view text) {
  // every byte but the second and later ones of a sequence, 10xxxxxx
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string shortened(std::string_view text, std::size_t n) {
  if (n_letters(text) <= n) return std::string(text);
  std::size_t end = 0;
  for (std::size_t letters = 0; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) continue;
    if (letters++ == n - 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string pixel(double value) {
  return fmt::format("{:.1f}", value);
}

Svg::Svg(double width, double height, std::string_view title)
    : body_(fmt::format(
          "<svg viewBox=\"0 0 {0} {1}\" style=\"max-width:{0}px\" role=\"img\" aria-label=\"{2}\">\n",
          pixel(width), pixel(height), escaped(title))) {}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view css) {
  body_ += fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", css, pixel(x1),
                       pixel(y1), pixel(x2), pixel(y2));
}
void Svg::rect(double x, double y, double width, double height, std::string_view css) {
  body_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", css, pixel(x),
                       pixel(y), pixel(width), pixel(height));
}
void Svg::circle(double x, double y, double r, std::string_view css) {
  body_ +=
      fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>\n", css, pixel(x), pixel(y), pixel(r));
}
void Svg::text(double x, double y, std::string_view words, std::string_view css) {
  body_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", css, pixel(x), pixel(y),
                       escaped(words));
}
void Svg::text(double x, double y, std::string_view words, std::string_view css, double size,
               double degrees) {
  body_ += fmt::format("<text class=\"{0}\" x=\"{1}\" y=\"{2}\" style=\"font-size:{3}px\"", css, pixel(x),
                       pixel(y), pixel(size));
  if (degrees != 0) body_ += fmt::format(" transform=\"rotate({:.0f} {} {})\"", degrees, pixel(x), pixel(y));
  body_ += ">" + escaped(words) + "</text>\n";
}
void Svg::path(const std::string& d, std::string_view css) {
  body_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", css, d);
}
void Svg::begin_hint(std::string_view words) {
  body_ += "<g><title>" + escaped(words) + "</title>\n";
}
void Svg::end_hint() {
  body_ += "</g>\n";
}

std::string Svg::str() const {
  return body_ + "</svg>\n";
}

double Axis::at(double value) const {
  const double share =
      logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + share * (to - from);
}

std::vector<double> Axis::ticks(int n) const {
  std::vector<double> values;
  if (logarithmic) {
    const double decades = std::log10(high / low);
    if (decades < 0.7) return Axis{.low = low, .high = high}.ticks(n);
    // then only powers of ten, or the labels would touch
    const bool wide = decades > 2 && std::abs(to - from) < 120 * decades;
    for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high * 1.0001; decade *= 10)
      for (const double step : {1.0, 2.0, 5.0})
        if (const double v = decade * step; v >= low * 0.9999 && v <= high * 1.0001 && (!wide || step == 1))
          values.push_back(v);
    return values;
  }
  const double rough = (high - low) / n;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
    values.push_back(k * step + 0.0);  // + 0: no "-0" as a label
  return values;
}

}  // namespace chorale::io::report
